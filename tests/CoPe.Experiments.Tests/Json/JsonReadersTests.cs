using System.Runtime.CompilerServices;
using System.Text;
using CoPe.Testing;

namespace CoPe.Experiments.Tests.Json;

/// <summary>Every reader of JSON against every damage: an error of ours that names the file, on one line.</summary>
public sealed class JsonReadersTests : IDisposable
{
    readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string, JsonDamage> Damages =>
        new(
            from reader in JsonReaders.All
            from damage in Enum.GetValues<JsonDamage>()
            where !reader.Tolerates.Contains(damage)
            select (reader.File, damage)
        );

    public static TheoryData<string, JsonDamage> Tolerated =>
        new(from reader in JsonReaders.All from damage in reader.Tolerates select (reader.File, damage));

    public static TheoryData<string> Files => [.. JsonReaders.All.Select(reader => reader.File)];

    static JsonReader Find(string file) => JsonReaders.All.First(reader => reader.File == file);

    Exception? Read(JsonReader reader, byte[] content)
    {
        reader.Prepare(_folder.Path, content);
        return Record.Exception(() => reader.Read(_folder.Path));
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void A_whole_file_is_read(string file) =>
        Assert.Null(Read(Find(file), Encoding.UTF8.GetBytes(Find(file).Text)));

    [Theory]
    [MemberData(nameof(Tolerated))]
    public void What_is_not_read_does_no_harm(string file, JsonDamage damage) =>
        Assert.Null(Read(Find(file), JsonDamages.Apply(damage, Find(file).Text)));

    [Theory]
    [MemberData(nameof(Damages))]
    public void A_damaged_file_is_refused_in_one_line_that_names_it(string file, JsonDamage damage)
    {
        var reader = Find(file);
        var error = Read(reader, JsonDamages.Apply(damage, reader.Text));
        if (reader.Error is null)
        {
            Assert.Null(error);
            return;
        }

        Assert.NotNull(error);
        Assert.Equal(reader.Error, error.GetType());
        Assert.Contains(_folder.Path, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(error.Message, char.IsControl);
        Assert.InRange(error.Message.Length, 1, MessageText.MaxLength);
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void A_file_that_is_cut_or_changed_anywhere_is_read_or_refused(string file)
    {
        var reader = Find(file);
        var whole = Encoding.UTF8.GetBytes(reader.Text);
        byte[] others = [0, 0xFF, (byte)'"', (byte)'}', (byte)'9'];
        for (var place = 0; place < whole.Length; place++)
        {
            AssertReadOrRefused(reader, whole[..place]);
            foreach (var other in others)
            {
                byte[] changed = [.. whole[..place], other, .. whole[(place + 1)..]];
                AssertReadOrRefused(reader, changed);
            }
        }
    }

    void AssertReadOrRefused(JsonReader reader, byte[] content)
    {
        if (Read(reader, content) is { } error && error.GetType() != reader.Error)
        {
            Assert.Fail($"{reader.File}: {Encoding.Latin1.GetString(content)}: {error}");
        }
    }

    [Fact]
    public void Every_source_file_that_reads_json_is_among_the_readers()
    {
        string[] readers =
        [
            "StrictJson.Parse",
            "StrictJson.Deserialize",
            "RunJson.Read",
            "RunJson.TryRead",
            "JsonTokenStream(",
        ];
        var known = JsonReaders.All.SelectMany(reader => reader.Sources).Concat(Indirect).ToHashSet();
        var unknown = SourceFiles("CoPe")
            .Concat(SourceFiles("CoPe.Experiments"))
            .Where(file => readers.Any(File.ReadAllText(Path.Combine(Source, file)).Contains))
            .Where(file => !known.Contains(file) && !file.StartsWith("CoPe/Json/", StringComparison.Ordinal));
        Assert.Empty(unknown);
    }

    /// <summary>Those that read what others of the list read, or that tests of their own break.</summary>
    static readonly string[] Indirect =
    [
        "CoPe/Training/Checkpointer.cs",
        "CoPe.Experiments/Runs/RunJson.cs",
        "CoPe.Experiments/Runs/Stages/ChunkedWork.cs",
        "CoPe.Experiments/Runs/Erasure/UserDataFiles.cs",
        "CoPe.Experiments/Runs/AddedUsers.cs",
        "CoPe.Experiments/Data/Building/DataBuild.cs",
        "CoPe.Experiments/Data/Building/PublishedProfile.cs",
        "CoPe.Experiments/Data/Building/UserBuckets.cs",
        "CoPe.Experiments/Data/Checking/CheckTarget.cs",
        "CoPe.Experiments/Data/Checking/DataCheck.cs",
        "CoPe.Experiments/Data/GoldLabels.cs",
        "CoPe.Experiments/Data/JsonArrayFile.cs",
        "CoPe.Experiments/Data/LampFiles.cs",
        "CoPe.Experiments/Data/Importing/UserHistory.cs",
        "CoPe/Modeling/Gguf/GgufConfig.cs",
        "CoPe/Tokens/Pipeline/GgufTokenizer.cs",
        "CoPe/Tokens/Pipeline/GgufTokenizerWriter.cs",
    ];

    static IEnumerable<string> SourceFiles(string project) =>
        Directory
            .EnumerateFiles(Path.Combine(Source, project), "*.cs", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(Source, file).Replace('\\', '/'))
            .Where(file => !file.Contains("/obj/", StringComparison.Ordinal));

    static string Source { get; } = Path.GetFullPath(Path.Combine(ThisFile(), "../../../../src"));

    static string ThisFile([CallerFilePath] string path = "") => path;
}
