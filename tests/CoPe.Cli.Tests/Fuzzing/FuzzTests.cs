using System.Reflection;
using System.Text.RegularExpressions;
using CoPe.Experiments.Data;
using CoPe.Experiments.Runs;
using CoPe.Fuzz.Engine;
using CoPe.Fuzz.Readers;
using CoPe.Testing;

namespace CoPe.Cli.Tests.Fuzzing;

public sealed partial class FuzzTests
{
    /// <summary>What a reader takes first.</summary>
    static readonly Type[] Sources =
    [
        typeof(string),
        typeof(ReadOnlyMemory<byte>),
        typeof(Stream),
        typeof(RunDirectory),
    ];

    [Fact]
    public void Every_public_reader_is_fuzzed() =>
        Assert.Empty(FindReaders(IsPublic).Except(FuzzedReaders.All.SelectMany(reader => reader.Covers)));

    [Fact]
    public void What_is_said_to_be_fuzzed_exists() =>
        Assert.Empty(FuzzedReaders.All.SelectMany(reader => reader.Covers).Except(FindReaders(_ => true)));

    [Fact]
    public void Readers_have_names_of_their_own() =>
        Assert.Equal(
            FuzzedReaders.All.Count,
            FuzzedReaders.All.DistinctBy(reader => reader.Name, StringComparer.Ordinal).Count()
        );

    /// <summary>The long run is a command (docs/contributing.md).</summary>
    [Fact]
    public void A_short_run_finds_nothing()
    {
        using var folder = new TemporaryFolder();
        var plan = new FuzzPlan
        {
            Inputs = 30_000,
            Seed = 1,
            Readers = FuzzedReaders.All,
            Findings = folder.Path,
        };
        using var told = new StringWriter();
        var report = new Supervisor(plan, told).Run();
        Assert.True(report.Findings.Count == 0, told.ToString());
        Assert.Equal(plan.Inputs, report.Readers.Values.Sum(figures => figures.Inputs));
    }

    /// <summary>
    /// Static methods that read something by its path, text or stream: the public ones of the libraries, and those of
    /// the command that are not private.
    /// </summary>
    static bool IsPublic(MethodInfo method) =>
        method.DeclaringType!.IsVisible ? method.IsPublic
        : method.DeclaringType.Assembly == typeof(CommandLine).Assembly ? !method.IsPrivate
        : false;

    static IEnumerable<string> FindReaders(Func<MethodInfo, bool> isPublic) =>
        from assembly in (Assembly[])
            [typeof(AtomicFile).Assembly, typeof(LampFiles).Assembly, typeof(CommandLine).Assembly]
        from type in assembly.GetTypes()
        from method in type.GetMethods(
            BindingFlags.Static | BindingFlags.DeclaredOnly | BindingFlags.Public | BindingFlags.NonPublic
        )
        where isPublic(method) && ReaderName.IsMatch(method.Name)
        where Sources.Contains(method.GetParameters().FirstOrDefault()?.ParameterType)
        select $"{type.Name}.{method.Name}";

    [GeneratedRegex("^(Read|Load|Parse|Open|Find|List)([A-Z]|$)|^ByName$")]
    static partial Regex ReaderName { get; }
}
