using CoPe.Experiments.Data;
using CoPe.Experiments.Runs;
using CoPe.Experiments.Runs.Stages;
using CoPe.Experiments.Tasks;
using CoPe.Testing;

namespace CoPe.Cli.Tests.Erasure;

/// <summary>
/// Runs of users with any ids whose stages need no model: adapters, an adapter trained on everyone and its answers,
/// answers of the base model, and the real evaluation.
/// </summary>
sealed class ToyRuns : IDisposable
{
    const string Recipe = """
        task: news_headline
        model: my-model
        data: my-data
        predict: [base]
        evaluate: { likelihood: false, resamples: 100 }
        """;

    readonly ToyCommands _commands;

    public ToyRuns()
    {
        _commands = new(new(CreateStages()));
        Folder.Write("my-model/config.json", "{}");
        Folder.Write("my.yaml", Recipe);
    }

    Stage[] CreateStages() =>
        [
            new ToyStage(StageId.TrainTam, []),
            new UserStage(StageId.TrainTamAll, run => new JointAdapter(run.TamAllAdapter), WriteJoint),
            ToyStages.CreateAdapters(),
            ToyStages.CreateAnswers("base"),
            ToyStages.CreateAnswers("tam-all", StageId.TrainTamAll),
            new EvaluateStage(),
            new ToyStage(StageId.Report, [], StageId.Evaluate),
        ];

    /// <summary>Called while the adapter of everyone is trained, once the data are read.</summary>
    public Action? DuringTraining { get; set; }

    public TemporaryFolder Folder => _commands.Folder;

    public string Output => _commands.Output;

    public string Error => _commands.Error;

    public string UsersFile => Folder.At("my-data/news_headline/" + LampFiles.UsersFile);

    public string LabelsFile => Folder.At("my-data/news_headline/" + LampFiles.LabelsFile);

    public void Dispose() => _commands.Dispose();

    public RunDirectory At(string run) => new(Folder.At(run));

    /// <summary>Writes users with these ids; every text of theirs has a marker, <see cref="MarkerOf"/>.</summary>
    public void WriteData(params string[] ids)
    {
        LampFiles.Write(
            Folder.At("my-data"),
            new()
            {
                Task = LampTasks.NewsHeadline,
                Users = [.. ids.Index().Select(one => CreateUser(one.Item, one.Index))],
                Others = [CreateUser("others", 999)],
            }
        );
    }

    public static string MarkerOf(int place) => $"marker{place}word";

    public int Cope(params string[] args) => _commands.Cope(args);

    public void Succeed(params string[] args) => _commands.Succeed(args);

    public void AssertComplete(string run) => _commands.AssertComplete(run);

    public void Copy(string from, string to) => _commands.Copy(from, to);

    static LampUser CreateUser(string id, int place) =>
        new()
        {
            Id = id,
            History =
            [
                new()
                {
                    Id = $"h{place}",
                    Fields = new Dictionary<string, string>
                    {
                        ["text"] = $"An article, {MarkerOf(place)}",
                        ["title"] = $"A headline, {MarkerOf(place)}",
                    },
                },
            ],
            Queries =
            [
                new()
                {
                    Id = $"q{place}",
                    Input = $"Write a headline for {MarkerOf(place)}",
                    Gold = $"The gold answer {MarkerOf(place)}",
                },
            ],
        };

    void WriteJoint(RunDirectory run, IReadOnlyList<LampUser> users)
    {
        AtomicFile.WriteText(Path.Combine(run.TamAllAdapter, "adapter.txt"), $"of {users.Count} users");
        DuringTraining?.Invoke();
    }
}
