using System.Text;
using System.Text.Json.Nodes;
using CoPe.Cli.Hosting;
using CoPe.Experiments.Data;
using CoPe.Experiments.Evaluation;
using CoPe.Experiments.Runs;
using CoPe.Experiments.Runs.Erasure;
using CoPe.Experiments.Runs.Recipes;
using CoPe.Experiments.Runs.Stages;
using CoPe.Experiments.Tasks;
using CoPe.Testing;

namespace CoPe.Cli.Tests.Erasure;

/// <summary>
/// Erasures over runs whose stages need no training: what a user leaves is written by hand, the evaluation is the real
/// one.
/// </summary>
public sealed class UserErasureTests : IDisposable
{
    const string Recipe = """
        task: news_headline
        model: my-model
        data: my-data
        predict: [base]
        evaluate: { likelihood: false, resamples: 100 }
        """;

    readonly TemporaryFolder _folder = new();
    readonly Pipeline _pipeline = new([
        new ToyStage(StageId.TrainTam, []),
        new UserStage(
            StageId.TrainSft,
            run => new UserAdapters(run.SftAdapters, "SFT"),
            WriteAdapters,
            StageId.TrainTam
        ),
        new UserStage(
            StageId.Predict(PredictionMethod.Find("base")),
            run => new UserPredictions(run.Predictions("base")),
            WriteAnswers,
            StageId.TrainSft
        ),
        new EvaluateStage(),
        new ToyStage(StageId.Report, [], StageId.Evaluate),
    ]);

    string _output = "";
    string _error = "";

    public UserErasureTests()
    {
        _folder.Write("my-model/config.json", "{}");
        _folder.Write("my.yaml", Recipe);
        WriteData();
    }

    string Users => _folder.At("my-data/news_headline/" + LampFiles.UsersFile);

    string Labels => _folder.At("my-data/news_headline/" + LampFiles.LabelsFile);

    public void Dispose()
    {
        AtomicFile.BeforeOperation = null;
        _folder.Dispose();
    }

    static void WriteAdapters(RunDirectory run, IReadOnlyList<LampUser> users)
    {
        foreach (var user in users)
        {
            AtomicFile.WriteText(Path.Combine(run.SftAdapter(user.Id), "adapter.txt"), "weights");
        }
    }

    static void WriteAnswers(RunDirectory run, IReadOnlyList<LampUser> users)
    {
        var queries = users.SelectMany(user => user.Queries.Select(query => (User: user.Id, Query: query.Id))).ToList();
        new PredictionFile
        {
            Task = "LaMP_4",
            Predictions = [.. queries.Select(one => new Prediction(one.Query, $"An answer to query {one.Query}"))],
        }.Write(run.Predictions("base"));
        AtomicFile.WriteLines(
            run.Metrics(StageId.Predict(PredictionMethod.Find("base"))),
            queries.Select(one => $$"""{"user":"{{one.User}}","query":"{{one.Query}}"}""")
        );
    }

    static string Entry(int number) =>
        $$$"""
            {"note": 1.50, "user_id": "u{{{number}}}",  "profile": [
                {"text": "Old text", "title": "The headline of u{{{number}}}", "more": {"a": [null, 1e2]}}],
              "query": [{"id": {{{number}}}1, "input": "Generate a headline", "mark": "Grüße \u00e9"}]}
            """;

    void WriteData(Encoding? encoding = null)
    {
        _folder.Write(
            "my-data/news_headline/" + LampFiles.OthersFile,
            $"[{Entry(9).Replace("\"mark\"", "\"gold\": \"Their headline\", \"mark\"", StringComparison.Ordinal)}]"
        );
        _folder.Write(
            "my-data/news_headline/" + LampFiles.LabelsFile,
            """
            {"version": 1.0, "task": "LaMP_4", "golds": [
              {"id": 11, "output": "The gold answer of u1"},
              {"id": 21, "output": "The gold answer of u2", "by": "Zoë"},
              {"id": 31, "output": "The gold answer of u3"}
            ]}
            """
        );
        File.WriteAllText(Users, $"[{Entry(1)}, {Entry(2)}, {Entry(3)}]", encoding ?? new UTF8Encoding(false));
    }

    RunDirectory At(string run) => new(_folder.At(run));

    int Cope(params string[] args)
    {
        using var outWriter = new StringWriter();
        using var errorWriter = new StringWriter();
        var code = CommandLine.Run(
            args,
            new CommandHost
            {
                Out = outWriter,
                Error = errorWriter,
                SearchFolders = [_folder.Path, AppContext.BaseDirectory],
                Pipeline = _pipeline,
                ReadHubSettings = () =>
                    new()
                    {
                        Endpoint = new("http://localhost:1/"),
                        CacheFolder = _folder.At("hub"),
                        TokenSource = "HF_TOKEN",
                        IsOffline = true,
                    },
            }
        );
        (_output, _error) = (outWriter.ToString(), errorWriter.ToString());
        return code;
    }

    void Run(string run, params string[] more) =>
        Assert.True(Cope(["run", "my.yaml", "--run", run, .. more]) == 0, _error);

    void Forget(string run, string user, params string[] more) =>
        Assert.True(Cope(["user", "forget", run, user, .. more]) == 0, _error);

    void AssertComplete(string run)
    {
        Assert.True(Cope("status", "--run", run) == 0, _error);
        var lines = _output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        Assert.Equal(_pipeline.Stages.Count, lines.Length);
        Assert.All(lines, line => Assert.EndsWith(" complete", line, StringComparison.Ordinal));
    }

    /// <summary>
    /// The run is complete, has exactly these users, and no file of a pending erasure.
    /// </summary>
    void AssertHolds(string run, params string[] users)
    {
        AssertComplete(run);
        Assert.Equal(
            users,
            Directory.GetDirectories(At(run).SftAdapters).Select(Path.GetFileName).Order(StringComparer.Ordinal)
        );
        Assert.Equal(
            users.Select(user => user[1..] + "1"),
            PredictionFile.Read(At(run).Predictions("base")).Predictions.Select(answer => answer.Id)
        );
        Assert.False(File.Exists(At(run).PendingErasure));
        Assert.True(File.Exists(At(run).Results));
        Assert.Empty(Directory.EnumerateFiles(_folder.Path, "*.part", SearchOption.AllDirectories));
        foreach (
            var file in Directory
                .EnumerateFiles(At(run).Root, "*", SearchOption.AllDirectories)
                .Where(file => Path.GetFileName(file) != ".lock")
        )
        {
            Assert.DoesNotContain(
                (string[])["u1", "u2", "u3"],
                user =>
                    !users.Contains(user) && File.ReadAllText(file).Contains($"\"{user}\"", StringComparison.Ordinal)
            );
        }
    }

    static void Copy(string from, string to)
    {
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }

    [Fact]
    public void Whichever_file_operation_fails_repeating_the_erasure_ends_like_an_uninterrupted_one()
    {
        Run("whole");
        var (failing, hasFailed) = (0, true);
        while (hasFailed)
        {
            failing++;
            WriteData();
            AtomicFile.Remove(_folder.At("run"));
            Copy(_folder.At("whole"), _folder.At("run"));
            var count = 0;
            AtomicFile.BeforeOperation = _ =>
            {
                if (++count == failing)
                {
                    throw new IOException("read-only");
                }
            };
            hasFailed = Cope("user", "forget", "run", "u1", "--data") != 0;
            AtomicFile.BeforeOperation = null;
            if (hasFailed && File.Exists(At("run").PendingErasure))
            {
                Assert.Equal(1, Cope("run", "--run", "run"));
                Assert.Contains("repeat 'cope user forget run USER'", _error, StringComparison.Ordinal);
            }

            // Where the last flush alone failed, there is nothing left to repeat.
            var isLeft = File.Exists(At("run").PendingErasure) || Directory.Exists(At("run").SftAdapter("u1"));
            if (hasFailed && isLeft)
            {
                Forget("run", "u1", "--data");
            }

            AssertHolds("run", "u2", "u3");
            Assert.DoesNotContain(
                "of u1",
                File.ReadAllText(Users) + File.ReadAllText(Labels),
                StringComparison.Ordinal
            );
        }

        Assert.True(failing > 20, $"only {failing} operations");
    }

    [Fact]
    public void Erasing_another_user_after_an_interrupted_erasure_finishes_both()
    {
        Run("run");
        AtomicFile.BeforeOperation = operation =>
        {
            if (operation.EndsWith(Path.Combine("sft", "u1"), StringComparison.Ordinal))
            {
                throw new IOException("read-only");
            }
        };
        Assert.Equal(1, Cope("user", "forget", "run", "u1"));
        AtomicFile.BeforeOperation = null;
        Assert.True(Directory.Exists(At("run").SftAdapter("u1")));

        Forget("run", "u2");

        AssertHolds("run", "u3");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Where_the_recipe_limits_the_users_no_other_takes_the_place_of_an_erased_one(bool isDataToo)
    {
        Run("limited", "--set", "users=2");

        Forget("limited", "u1", isDataToo ? (string[])["--data"] : []);

        AssertHolds("limited", "u2");
        Assert.True(Cope("run", "--run", "limited") == 0, _error);
        AssertHolds("limited", "u2");
    }

    [Fact]
    public void Runs_of_several_seeds_stay_complete_when_a_user_is_removed_from_their_data()
    {
        Run("seeds", "--seeds", "2");

        Assert.Equal(1, Cope("user", "forget", "seeds/seed-42", "u1", "--data"));
        Assert.Contains("'cope user forget seeds u1 --data'", _error, StringComparison.Ordinal);
        Assert.Contains("u1", File.ReadAllText(Users), StringComparison.Ordinal);

        Forget("seeds", "u1", "--data");

        AssertHolds("seeds/seed-42", "u2", "u3");
        AssertHolds("seeds/seed-43", "u2", "u3");
        Assert.DoesNotContain("u1", File.ReadAllText(Users), StringComparison.Ordinal);
    }

    [Fact]
    public void A_child_run_keeps_the_list_it_was_made_with_and_a_new_one_takes_the_list_of_its_parent()
    {
        var parent = At("outer");
        var child = At("outer/known");
        ForgottenUsers.Add(parent, "Ada", isAdmitted: false);
        _folder.Write("outer/known/recipe.yaml", Recipe);
        var before = ForgottenUsers.Read(child);

        ForgottenUsers.Add(parent, "Bob", isAdmitted: true);

        Assert.Equal(before.Users, ForgottenUsers.Read(child).Users);
        Assert.True(
            ForgottenUsers.Read(At("outer/added")).Contains("Ada")
                && ForgottenUsers.Read(At("outer/added")).Contains("Bob")
        );
        Assert.Equal(4, ForgottenUsers.Read(parent).RemainingLimit(5));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Removing_a_user_from_the_data_leaves_the_entries_of_others_as_they_are(bool isWide)
    {
        WriteData(isWide ? Encoding.Unicode : null);
        var data = new UserDataFiles(_folder.At("my-data/news_headline"), LampTasks.NewsHeadline);

        data.Remove(data.ReadUsers().First());

        Assert.Equal($"[ {Entry(2)}, {Entry(3)}]\n", File.ReadAllText(Users));
        var labels = File.ReadAllText(Labels);
        Assert.True(
            JsonNode.DeepEquals(
                JsonNode.Parse(
                    """
                    {"version": 1.0, "task": "LaMP_4", "golds": [
                      {"id": 21, "output": "The gold answer of u2", "by": "Zoë"},
                      {"id": 31, "output": "The gold answer of u3"}
                    ]}
                    """
                ),
                JsonNode.Parse(labels)
            ),
            labels
        );
        Assert.Contains("\"Zoë\"", labels, StringComparison.Ordinal);
        Assert.Contains("1.0", labels, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_model_and_data_a_user_is_erased_and_what_needs_them_is_removed_and_named()
    {
        Run("run");
        Directory.Move(_folder.At("my-model"), _folder.At("model-away"));
        Directory.Move(_folder.At("my-data"), _folder.At("data-away"));

        Assert.True(Cope("user", "ls", "run") == 0, _error);
        Assert.Contains("\nu1 ", _output, StringComparison.Ordinal);
        Assert.True(Cope("user", "show", "run", "u1") == 0, _error);
        Forget("run", "u1");

        Assert.Contains("is missing: what needs that was removed", _output, StringComparison.Ordinal);
        Assert.False(
            Directory.Exists(At("run").SftAdapter("u1"))
                || File.Exists(At("run").Results)
                || File.Exists(At("run").PendingErasure)
        );
        Assert.Equal(
            ["21", "31"],
            PredictionFile.Read(At("run").Predictions("base")).Predictions.Select(answer => answer.Id)
        );

        Directory.Move(_folder.At("model-away"), _folder.At("my-model"));
        Directory.Move(_folder.At("data-away"), _folder.At("my-data"));
        Assert.Equal(0, Cope("status", "--run", "run"));
        Assert.Equal(
            3,
            _output.Split('\n').Count(line => line.TrimEnd().EndsWith(" complete", StringComparison.Ordinal))
        );
        Assert.True(Cope("run", "--run", "run") == 0, _error);
        AssertHolds("run", "u2", "u3");
    }

    [Fact]
    public void Without_the_model_alone_the_run_stays_whole()
    {
        Run("run");
        Directory.Move(_folder.At("my-model"), _folder.At("model-away"));

        Forget("run", "u1");

        Directory.Move(_folder.At("model-away"), _folder.At("my-model"));
        AssertHolds("run", "u2", "u3");
    }
}

/// <summary>
/// A stage that needs no model and writes something for every user that the run reads.
/// </summary>
sealed class UserStage(
    StageId id,
    Func<RunDirectory, StageOutput> output,
    Action<RunDirectory, IReadOnlyList<LampUser>> write,
    params StageId[] needs
) : Stage
{
    public override StageId Id => id;

    public override IReadOnlyList<string> RecipeKeys => ["users"];

    public override IEnumerable<StageId> Needs(Recipe recipe) => needs;

    public override bool IsRequestedBy(Recipe recipe) => true;

    public override IEnumerable<StageOutput> Outputs(RunDirectory run) => [output(run)];

    public override void Execute(StageContext context) => write(context.Run, context.Workspace.Dataset.Users);
}
