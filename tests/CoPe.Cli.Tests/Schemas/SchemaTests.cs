using System.Text.Json;
using CoPe.Experiments.Data;
using CoPe.Experiments.Runs;
using CoPe.Experiments.Runs.Results;
using CoPe.Experiments.Runs.Stages;
using CoPe.Experiments.Settings;
using CoPe.Experiments.Tasks;
using CoPe.Testing;
using CoPe.Testing.Schemas;
using CoPe.Training;

namespace CoPe.Cli.Tests.Schemas;

[Collection("torch")]
public sealed class SchemaTests(TinyRunFixture world) : IClassFixture<TinyRunFixture>
{
    /// <summary>Every file of a run that has a schema, whole or line by line.</summary>
    static readonly (string Pattern, string Schema)[] Files =
    [
        ("negatives/candidates.jsonl", "candidates"),
        ("negatives/pairs.jsonl", "pairs"),
        ("evaluation/likelihood.jsonl", "likelihood"),
        ("evaluation/scores.jsonl", "scores"),
        ("metrics/", "metrics"),
        ("profiles.jsonl", "profiles"),
        ("predictions/", "answers"),
        ("results.json", "results"),
        ("significance.json", "significance"),
        ("stages/file-hashes.json", ""),
        ("stages/", "stage"),
        ("manifest.json", "manifest"),
        ("plan.json", "plan"),
    ];

    [Fact]
    public void Every_json_file_of_a_run_is_described_by_a_schema()
    {
        var run = world.RunAt("undisturbed");
        var seen = new HashSet<string>();
        foreach (
            var file in Directory
                .EnumerateFiles(run.Root, "*.json*", SearchOption.AllDirectories)
                .Where(file => Path.GetFileName(file) != "adapter_config.json")
        )
        {
            var relative = Path.GetRelativePath(run.Root, file).Replace('\\', '/');
            var known = Files.FirstOrDefault(pair => relative.StartsWith(pair.Pattern, StringComparison.Ordinal));
            Assert.True(known.Schema is not null, $"{relative} has no schema");
            if (known.Schema.Length == 0)
            {
                continue;
            }

            seen.Add(known.Schema);
            foreach (
                var text in file.EndsWith(".jsonl", StringComparison.Ordinal)
                    ? File.ReadLines(file)
                    : [File.ReadAllText(file)]
            )
            {
                Assert.Empty(Errors(text, known.Schema));
            }
        }

        Assert.Superset(
            new HashSet<string>
            {
                "candidates",
                "pairs",
                "likelihood",
                "scores",
                "metrics",
                "answers",
                "results",
                "significance",
                "stage",
                "manifest",
                "plan",
            },
            seen
        );
    }

    /// <summary>Records that are files as they are: a property that the schema lacks, or one too many, fails.</summary>
    public static TheoryData<string, Type> Records =>
        new()
        {
            { "candidates", typeof(ItemCandidates) },
            { "pairs", typeof(SelectedPair) },
            { "likelihood", typeof(QueryLikelihood) },
            { "scores", typeof(UserScoresLine) },
            { "metrics", typeof(StepMetrics) },
            { "profiles", typeof(UserProfile) },
            { "stage", typeof(StageMarker) },
            { "manifest", typeof(RunManifest) },
            { "plan", typeof(RunPlan) },
            { "forgotten", typeof(ForgottenUsers) },
            { "task", typeof(TaskKeys) },
        };

    [Theory]
    [MemberData(nameof(Records))]
    public void A_schema_has_the_properties_of_its_record(string schema, Type record) =>
        Assert.Equal(
            SettingsSchema.GetProperties(record).Keys.Order(),
            JsonSchema
                .Read(schema)
                .GetProperty("properties")
                .EnumerateObject()
                .Select(property => property.Name)
                .Order()
        );

    [Fact]
    public void Data_files_that_are_written_fit_their_schemas_with_every_field_set()
    {
        using var folder = new TemporaryFolder();
        var item = new HistoryItem
        {
            Id = "1",
            Fields = new Dictionary<string, string>
            {
                ["text"] = "t",
                ["title"] = "T",
                ["date"] = "2024",
            },
        };
        var user = new LampUser
        {
            Id = "u",
            Name = "Ada",
            History = [item],
            Queries =
            [
                new()
                {
                    Id = "q",
                    Input = "i",
                    Gold = "g",
                },
            ],
        };
        LampFiles.Write(
            folder.Path,
            new()
            {
                Task = LampTasks.NewsHeadline,
                Users = [user],
                Others = [user with { Id = "o" }],
            }
        );

        Assert.Empty(Errors(File.ReadAllText(folder.At("news_headline/" + LampFiles.UsersFile)), "users"));
        Assert.Empty(Errors(File.ReadAllText(folder.At("news_headline/" + LampFiles.OthersFile)), "users"));
        Assert.Empty(Errors(File.ReadAllText(folder.At("news_headline/" + LampFiles.LabelsFile)), "answers"));
        Assert.Empty(Errors(LampTestFolder.ValidUser.Insert(0, "[") + "]", "users"));
        Assert.NotEmpty(Errors("""[{"user_id": 1, "profile": []}]""", "users"));
    }

    [Fact]
    public void The_report_of_a_check_fits_its_schema()
    {
        File.WriteAllText(
            Path.Combine(world.RunAt(".").Root, "users.json"),
            """
            [{
              "user_id": 1,
              "profile": [{"text": "x"}, {"text": "a", "title": "b..."}],
              "query": [{"id": 1, "input": "i", "gold": "g"}]
            }]
            """
        );

        Assert.Equal(
            1,
            world.RunCommand(
                default,
                "data",
                "check",
                "users.json",
                "--task",
                "news_headline",
                "--model",
                "model",
                "--json"
            )
        );

        Assert.Empty(Errors(world.Output, "check"));
        Assert.Contains("history example", world.Output, StringComparison.Ordinal);
    }

    public static TheoryData<string> Schemas =>
        [.. Directory.EnumerateFiles(JsonSchema.Folder, "*.json").Select(file => Path.GetFileName(file)!)];

    [Theory]
    [MemberData(nameof(Schemas))]
    public void Every_schema_is_linked_from_the_data_page(string file) =>
        Assert.Contains(
            $"schemas/{file}",
            File.ReadAllText(Path.Combine(JsonSchema.Folder, "../data.md")),
            StringComparison.Ordinal
        );

    [Theory]
    [InlineData("""{"user": "u", "item": "1"}""", "candidates is missing")]
    [InlineData("""{"user": "u", "item": "1", "candidates": [], "score": 1}""", "$.score is not in the schema")]
    [InlineData("""{"user": 1, "item": "1", "candidates": []}""", "$.user: Number")]
    public void The_check_itself_finds_what_does_not_fit(string line, string error) =>
        Assert.Contains(error, string.Join('\n', Errors(line, "candidates")), StringComparison.Ordinal);

    static IReadOnlyList<string> Errors(string json, string schema)
    {
        using var document = JsonDocument.Parse(json);
        return JsonSchema.Errors(document.RootElement, JsonSchema.Read(schema));
    }
}
