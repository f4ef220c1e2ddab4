using System.CommandLine;
using System.Text;
using CoPe.Cli.Hosting;
using CoPe.Testing;

namespace CoPe.Cli.Tests.Hosting;

/// <summary>Where standard output or error cannot be written, the work is done all the same.</summary>
public sealed class UnwritableStreamsTests : IDisposable
{
    readonly InProcessCommand _cope = new();
    readonly TemporaryFolder _folder = new();

    public void Dispose()
    {
        _cope.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void A_run_whose_messages_cannot_be_written_is_run()
    {
        _cope.ReplaceError = new FullWriter();

        Assert.Equal(0, _cope.Run("run", "recipe.yaml"));

        Assert.Equal(1, _cope.Evaluate.Executions);
        Assert.Contains("results  runs/recipe/results.json", _cope.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_whose_results_cannot_be_written_is_run_and_says_so()
    {
        _cope.ReplaceOutput = new FullWriter();

        Assert.Equal(1, _cope.Run("run", "recipe.yaml"));

        Assert.Equal(1, _cope.Evaluate.Executions);
        Assert.Equal(
            ["cope: error: standard output could not be written (No space left on device); all else is done"],
            _cope.ErrorLines
        );
    }

    [Fact]
    public void An_error_keeps_its_exit_code()
    {
        _cope.ReplaceOutput = new FullWriter();

        Assert.Equal(2, _cope.Run("run", "no-such.yaml"));

        _cope.ReplaceError = new FullWriter();
        Assert.Equal(2, _cope.Run("run", "no-such.yaml"));
    }

    [Fact]
    public void No_verb_fails_otherwise()
    {
        _cope.ReplaceOutput = new FullWriter();
        foreach (var path in ListVerbs(CommandLine.CreateRootCommand(CreateHost()), []))
        {
            Assert.Equal(1, _cope.Run([.. path, "--help"]));
            Assert.Single(_cope.ErrorLines);
        }
    }

    /// <summary>
    /// The number of a closed stream goes to what is opened next: the runtime's pipes, or a file of the run.
    /// </summary>
    [Theory]
    [InlineData(">&-", 1)]
    [InlineData("2>&-", 0)]
    [InlineData("<&-", 0)]
    [InlineData(">&- 2>&- <&-", 1)]
    [InlineData(">/dev/full", 1)]
    [InlineData("2>/dev/full", 0)]
    [InlineData("| head -c 1", 0)]
    public void The_process_ends_in_order(string redirection, int code)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "streams are closed by a shell of Unix");
        var file = _folder.At("recipe.yaml");

        var ended = Shell.Run($"""( "$COPE" recipes cp demo {file}; echo $? > {file}.code ) {redirection} """);

        Assert.Equal($"{code}\n", File.ReadAllText(file + ".code"));
        Assert.Equal(
            File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "recipes", "demo.yaml")),
            File.ReadAllText(file)
        );
        Assert.DoesNotContain("   at ", ended.Error, StringComparison.Ordinal);
    }

    static IEnumerable<string[]> ListVerbs(Command command, string[] path) =>
        command.Subcommands.Count == 0
            ? [path]
            : command.Subcommands.SelectMany(verb => ListVerbs(verb, [.. path, verb.Name]));

    static CommandHost CreateHost() =>
        new()
        {
            Out = TextWriter.Null,
            Error = TextWriter.Null,
            SearchFolders = [],
        };

    /// <summary>A stream on a full disk.</summary>
    sealed class FullWriter : TextWriter
    {
        public override Encoding Encoding => Encoding.UTF8;

        public override void Write(char value) => throw new IOException("No space left on device");
    }
}
