using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace CoPe.Tests;

/// <summary>What the house promises of its own sources: arrows that point down, lines and files one can read.</summary>
public sealed partial class HouseTests
{
    /// <summary>
    /// The folders of each source project from the top: a folder may use those further down, never those further up.
    /// The names of a project's own namespaces; a folder within another stands where its name stands.
    /// </summary>
    static readonly Dictionary<string, string[]> Layers = new()
    {
        ["CoPe"] =
        [
            "CoPe.Serving",
            "CoPe.Decoding",
            "CoPe.Training",
            "CoPe.Scoring",
            "CoPe.Adapters",
            "CoPe.Modeling",
            "CoPe.Modeling.Gguf",
            "CoPe.Modeling.Safetensors",
            "CoPe.Kernels.Fused",
            "CoPe.Kernels.Gemm",
            "CoPe.Kernels.Torch",
            "CoPe.Kernels.Threads",
            "CoPe.Kernels",
            "CoPe.Chat",
            "CoPe.Chat.Jinja",
            "CoPe.Tokens.Training",
            "CoPe.Tokens",
            "CoPe.Tokens.Pipeline",
            "CoPe.Gguf",
            "CoPe.Json",
            "CoPe",
        ],
        ["CoPe.Experiments"] =
        [
            "CoPe.Experiments.Runs.Chat",
            "CoPe.Experiments.Runs.Erasure",
            "CoPe.Experiments.Runs.Examples",
            "CoPe.Experiments.Runs.Personal",
            "CoPe.Experiments.Runs.Pretraining",
            "CoPe.Experiments.Runs.Artifacts",
            "CoPe.Experiments.Runs.Stages",
            "CoPe.Experiments.Runs.Results",
            "CoPe.Experiments.Runs",
            "CoPe.Experiments.Runs.Blocks",
            "CoPe.Experiments.Runs.Recipes",
            "CoPe.Experiments.Report.Pages",
            "CoPe.Experiments.Report.Sections",
            "CoPe.Experiments.Report.Plots",
            "CoPe.Experiments.Report",
            "CoPe.Experiments.Evaluation",
            "CoPe.Experiments.Evaluation.Language",
            "CoPe.Experiments.Negatives",
            "CoPe.Experiments.Data.Samples",
            "CoPe.Experiments.Data.Building",
            "CoPe.Experiments.Data.Importing",
            "CoPe.Experiments.Data.Checking",
            "CoPe.Experiments.Data",
            "CoPe.Experiments.Tasks",
            "CoPe.Experiments.Settings",
        ],
        ["CoPe.Server"] = ["CoPe.Server", "CoPe.Server.Page"],
        ["CoPe.Cli"] =
        [
            "CoPe.Cli",
            "CoPe.Cli.Verbs",
            "CoPe.Cli.Endpoint",
            "CoPe.Cli.Sessions",
            "CoPe.Cli.Display",
            "CoPe.Cli.Scoring",
            "CoPe.Cli.Hosting",
            "CoPe.Cli.Terminal",
            "CoPe.Cli.Hub",
            "CoPe.Cli.Http",
            "CoPe.Cli.Failures",
        ],
    };

    [Theory]
    [InlineData("CoPe")]
    [InlineData("CoPe.Experiments")]
    [InlineData("CoPe.Server")]
    [InlineData("CoPe.Cli")]
    public void Folders_use_only_what_stands_below_them(string project)
    {
        var layers = Layers[project];
        var wrong = new List<string>();
        foreach (var file in Sources($"src/{project}"))
        {
            var folder = NamespaceOf(file);
            var place = Array.IndexOf(layers, folder);
            Assert.True(place >= 0, $"{folder} has no place among the layers");
            foreach (
                var used in UsingLines(file)
                    .Where(name => name == project || name.StartsWith(project + ".", StringComparison.Ordinal))
            )
            {
                if (Array.IndexOf(layers, used) is var other && other >= 0 && other < place)
                {
                    wrong.Add($"{Relative(file)} uses {used}, which stands above {folder}");
                }
            }
        }

        Assert.Empty(wrong);
    }

    [Fact]
    public void The_library_uses_neither_experiments_nor_the_command()
    {
        var wrong = Sources("src/CoPe")
            .Where(file =>
                UsingLines(file)
                    .Any(name =>
                        name.StartsWith("CoPe.Experiments", StringComparison.Ordinal)
                        || name.StartsWith("CoPe.Server", StringComparison.Ordinal)
                        || name.StartsWith("CoPe.Cli", StringComparison.Ordinal)
                    )
            )
            .Concat(
                Sources("src/CoPe.Experiments")
                    .Where(file => UsingLines(file).Any(name => name.StartsWith("CoPe.Cli", StringComparison.Ordinal)))
            );
        Assert.Empty(wrong.Select(Relative));
    }

    /// <summary>
    /// Readers that anybody's files go through: whatever else reads such a file asks one of them, so that what is wrong
    /// with it is an error of ours. <c>RecordedLine</c> looks for a user in whatever a run has recorded, broken or not;
    /// <c>ReplyJson</c> takes what is whole out of a reply that was paid for.
    /// </summary>
    static readonly string[] ForeignReaders =
    [
        "src/CoPe/Json/StrictJson.cs",
        "src/CoPe/Json/JsonFaultFinder.cs",
        "src/CoPe.Cli/Http/ReplyJson.cs",
        "src/CoPe.Experiments/Data/JsonTokenStream.cs",
        "src/CoPe.Experiments/Runs/RecordedLine.cs",
        "src/CoPe.Experiments/Settings/YamlText.cs",
    ];

    [Fact]
    public void Json_and_yaml_are_parsed_by_their_readers_alone() =>
        Assert.Empty(
            Sources("src")
                .Where(file => ParserPattern.IsMatch(File.ReadAllText(file)))
                .Select(Relative)
                .Except(ForeignReaders)
        );

    [Fact]
    public void No_line_is_longer_than_120_columns_and_in_documents_than_140()
    {
        var code = AllFiles("*.cs").SelectMany(file => LinesLongerThan(file, 120));
        var documents = AllFiles("*.md").Concat(AllFiles("*.yaml")).SelectMany(file => LinesLongerThan(file, 140));
        Assert.Empty(code.Concat(documents));
    }

    [Fact]
    public void No_source_file_is_longer_than_450_lines() =>
        Assert.Empty(AllFiles("*.cs").Where(file => File.ReadLines(file).Count() > 450).Select(Relative));

    [Fact]
    public void At_most_ten_warnings_are_suppressed()
    {
        var pragmas = AllFiles("*.cs")
            .SelectMany(file => File.ReadLines(file).Where(line => SuppressionPattern.IsMatch(line)));
        var settings = File.ReadLines(Path.Combine(Root, ".editorconfig"))
            .Where(line => line.EndsWith("= none", StringComparison.Ordinal));
        Assert.InRange(pragmas.Concat(settings).Count(), 0, 10);
    }

    [Fact]
    public void The_library_has_at_most_90_public_types() =>
        Assert.InRange(typeof(AtomicFile).Assembly.GetExportedTypes().Length, 10, 90);

    [GeneratedRegex(@"^\s*(#pragma warning disable|\[(assembly: )?SuppressMessage)")]
    static partial Regex SuppressionPattern { get; }

    [GeneratedRegex(
        @"Json(Document|Node|Object|Array|Element|Value)\.(Parse|TryParse)|JsonSerializer\.Deserialize"
            + @"|new Utf8JsonReader|ReadFromJson|new YamlStream|new Parser\(|DeserializerBuilder"
    )]
    static partial Regex ParserPattern { get; }

    [GeneratedRegex(@"^using (?:static |\w+ = )?(?<name>CoPe[\w.]*);")]
    static partial Regex UsingPattern { get; }

    static IEnumerable<string> UsingLines(string file) =>
        File.ReadLines(file)
            .Select(line => UsingPattern.Match(line))
            .Where(match => match.Success)
            .Select(match => match.Groups["name"].Value);

    static string NamespaceOf(string file) =>
        Path.GetDirectoryName(Path.GetRelativePath(Path.Combine(Root, "src"), file))!
            .Replace('\\', '.')
            .Replace('/', '.');

    static IEnumerable<string> LinesLongerThan(string file, int columns) =>
        File.ReadLines(file)
            .Select((line, index) => (line, number: index + 1))
            .Where(one => one.line.Length > columns)
            .Select(one => $"{Relative(file)}:{one.number} has {one.line.Length} columns");

    static IEnumerable<string> AllFiles(string pattern) =>
        ((string[])["src", "tests", "bench", "build", "docs", "recipes", "tasks", "models"])
            .SelectMany(folder =>
                Directory.EnumerateFiles(Path.Combine(Root, folder), pattern, SearchOption.AllDirectories)
            )
            .Concat(Directory.EnumerateFiles(Root, pattern))
            .Where(IsSource);

    static IEnumerable<string> Sources(string folder) =>
        Directory.EnumerateFiles(Path.Combine(Root, folder), "*.cs", SearchOption.AllDirectories).Where(IsSource);

    static bool IsSource(string file) =>
        !Relative(file).Split('/').Any(part => part is "bin" or "obj" or "TestResults");

    static string Relative(string file) => Path.GetRelativePath(Root, file).Replace('\\', '/');

    static string Root { get; } = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(ThisFile())!, "..", ".."));

    static string ThisFile([CallerFilePath] string path = "") => path;
}
