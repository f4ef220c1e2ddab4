using System.Text;
using CoPe.Experiments.Data;
using CoPe.Experiments.Evaluation;
using CoPe.Experiments.Runs;
using CoPe.Experiments.Runs.Stages;
using CoPe.Testing;

namespace CoPe.Cli.Tests.Erasure;

/// <summary>
/// Runs of the users u1, u2 and u3, whose data are written by hand with fields and layout of their own: the stages need
/// no training, the evaluation is the real one.
/// </summary>
sealed class HandWrittenRuns : IDisposable
{
    public const string Recipe = """
        task: news_headline
        model: my-model
        data: my-data
        predict: [base]
        evaluate: { likelihood: false, resamples: 100 }
        """;

    readonly ToyCommands _commands = new(
        new([
            new ToyStage(StageId.TrainTam, []),
            ToyStages.CreateAdapters(StageId.TrainTam),
            ToyStages.CreateAnswers("base", StageId.TrainSft),
            new EvaluateStage(),
            new ToyStage(StageId.Report, [], StageId.Evaluate),
        ])
    );

    public HandWrittenRuns()
    {
        Folder.Write("my-model/config.json", "{}");
        Folder.Write("my.yaml", Recipe);
        WriteData();
    }

    public TemporaryFolder Folder => _commands.Folder;

    public string Output => _commands.Output;

    public string Error => _commands.Error;

    public string Users => Folder.At("my-data/news_headline/" + LampFiles.UsersFile);

    public string Labels => Folder.At("my-data/news_headline/" + LampFiles.LabelsFile);

    public void Dispose() => _commands.Dispose();

    public static string Entry(int number) =>
        $$$"""
            {"note": 1.50, "user_id": "u{{{number}}}",  "profile": [
                {"text": "Old text", "title": "The headline of u{{{number}}}", "more": {"a": [null, 1e2]}}],
              "query": [{"id": {{{number}}}1, "input": "Generate a headline", "mark": "Grüße \u00e9"}]}
            """;

    public void WriteData(Encoding? encoding = null)
    {
        Folder.Write(
            "my-data/news_headline/" + LampFiles.OthersFile,
            $"[{Entry(9).Replace("\"mark\"", "\"gold\": \"Their headline\", \"mark\"", StringComparison.Ordinal)}]"
        );
        Folder.Write(
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

    public RunDirectory At(string run) => new(Folder.At(run));

    public int Cope(params string[] args) => _commands.Cope(args);

    public void Succeed(params string[] args) => _commands.Succeed(args);

    public void Run(string run, params string[] more) => Succeed(["run", "my.yaml", "--run", run, .. more]);

    public void Forget(string run, string user, params string[] more) =>
        Succeed(["user", "forget", run, user, .. more]);

    public void Copy(string from, string to) => _commands.Copy(from, to);

    /// <summary>
    /// The run is complete, has exactly these users, and no file of a pending erasure.
    /// </summary>
    public void AssertHolds(string run, params string[] users)
    {
        _commands.AssertComplete(run);
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
        Assert.Empty(Directory.EnumerateFiles(Folder.Path, "*.part", SearchOption.AllDirectories));
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
}
