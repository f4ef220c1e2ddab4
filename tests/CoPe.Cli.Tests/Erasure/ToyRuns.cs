using CoPe.Cli.Hosting;
using CoPe.Experiments.Data;
using CoPe.Experiments.Evaluation;
using CoPe.Experiments.Runs;
using CoPe.Experiments.Runs.Recipes;
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

    static readonly StageId Base = StageId.Predict(PredictionMethod.Find("base"));
    static readonly StageId TamAll = StageId.Predict(PredictionMethod.Find("tam-all"));

    readonly Pipeline _pipeline;

    public ToyRuns()
    {
        Folder.Write("my-model/config.json", "{}");
        Folder.Write("my.yaml", Recipe);
        _pipeline = new(CreateStages());
    }

    Stage[] CreateStages() =>
        [
            new ToyStage(StageId.TrainTam, []),
            new UserStage(StageId.TrainTamAll, run => new JointAdapter(run.TamAllAdapter), WriteJoint),
            new UserStage(StageId.TrainSft, run => new UserAdapters(run.SftAdapters, "SFT"), WriteAdapters),
            new UserStage(Base, run => new UserPredictions(run.Predictions("base")), WriteAnswers("base")),
            new UserStage(
                TamAll,
                run => new UserPredictions(run.Predictions("tam-all")),
                WriteAnswers("tam-all"),
                StageId.TrainTamAll
            ),
            new EvaluateStage(),
            new ToyStage(StageId.Report, [], StageId.Evaluate),
        ];

    /// <summary>Called while the adapter of everyone is trained, once the data are read.</summary>
    public Action? DuringTraining { get; set; }

    public TemporaryFolder Folder { get; } = new();

    public string Output { get; private set; } = "";

    public string Error { get; private set; } = "";

    public string UsersFile => Folder.At("my-data/news_headline/" + LampFiles.UsersFile);

    public string LabelsFile => Folder.At("my-data/news_headline/" + LampFiles.LabelsFile);

    public void Dispose()
    {
        AtomicFile.BeforeOperation = null;
        Folder.Dispose();
    }

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

    public int Cope(params string[] args)
    {
        using var outWriter = new StringWriter();
        using var errorWriter = new StringWriter();
        var code = CommandLine.Run(
            args,
            new CommandHost
            {
                Out = outWriter,
                Error = errorWriter,
                SearchFolders = [Folder.Path, AppContext.BaseDirectory],
                Pipeline = _pipeline,
                ReadHubSettings = () =>
                    new()
                    {
                        Endpoint = new("http://localhost:1/"),
                        CacheFolder = Folder.At("hub"),
                        TokenSource = "HF_TOKEN",
                        IsOffline = true,
                    },
            }
        );
        (Output, Error) = (outWriter.ToString(), errorWriter.ToString());
        return code;
    }

    public void Succeed(params string[] args) => Assert.True(Cope(args) == 0, Error);

    public void AssertComplete(string run)
    {
        Succeed("status", "--run", run);
        var lines = Output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        Assert.All(lines, line => Assert.EndsWith(" complete", line, StringComparison.Ordinal));
    }

    /// <summary>Puts a copy of one folder in the place of another.</summary>
    public void Copy(string from, string to)
    {
        var (source, target) = (Folder.At(from), Folder.At(to));
        AtomicFile.Remove(target);
        foreach (var file in Directory.EnumerateFiles(source, "*", SearchOption.AllDirectories))
        {
            var copy = Path.Combine(target, Path.GetRelativePath(source, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
    }

    /// <summary>Fails the N-th file operation of the commands that follow; 0 fails none.</summary>
    public static void FailOperation(int number)
    {
        var count = 0;
        AtomicFile.BeforeOperation = operation =>
        {
            if (++count == number)
            {
                throw new IOException("cannot " + operation);
            }
        };
    }

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

    /// <summary>What is there of earlier users stays, as in the real stage.</summary>
    static void WriteAdapters(RunDirectory run, IReadOnlyList<LampUser> users)
    {
        foreach (var user in users.Where(user => !Directory.Exists(run.SftAdapter(user.Id))))
        {
            AtomicFile.WriteText(Path.Combine(run.SftAdapter(user.Id), "adapter.txt"), $"weights of {user.Id}");
            AtomicFile.WriteText(Path.Combine(run.SftAdapter(user.Id), "README.md"), run.SftAdapter(user.Id));
        }
    }

    static Action<RunDirectory, IReadOnlyList<LampUser>> WriteAnswers(string method) =>
        (run, users) =>
        {
            var queries = users.SelectMany(user => user.Queries.Select(query => (user.Id, Query: query.Id))).ToList();
            new PredictionFile
            {
                Task = "LaMP_4",
                Predictions = [.. queries.Select(one => new Prediction(one.Query, $"An answer to {one.Query}"))],
            }.Write(run.Predictions(method));
            JsonLines.Write(
                run.Metrics(StageId.Predict(PredictionMethod.Find(method))),
                queries.Select(one => new { User = one.Id, one.Query })
            );
        };
}
