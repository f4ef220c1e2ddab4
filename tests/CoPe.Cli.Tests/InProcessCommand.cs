using CoPe.Cli.Hosting;
using CoPe.Cli.Tests.Hub;
using CoPe.Experiments.Runs;
using CoPe.Experiments.Tasks;
using CoPe.Testing;

namespace CoPe.Cli.Tests;

/// <summary>Whole command lines in a folder of their own, with toy stages under the real names.</summary>
sealed class InProcessCommand : IDisposable
{
    readonly TemporaryFolder _folder = new();
    readonly StringWriter _output = new();
    readonly StringWriter _error = new();

    public InProcessCommand()
    {
        _folder.Write("here/recipe.yaml", "task: news_headline\nmodel: model\n");
        _folder.Write(
            "here/data/news_headline/user_others.json",
            """[{"user_id": "o", "profile": [], "query": [{"id": "x", "input": "i", "gold": "g"}]}]"""
        );
        _folder.Write(
            "here/data/news_headline/user_top_100_history.json",
            """
            [{
              "user_id": "u1",
              "profile": [{"id": "h", "text": "t", "title": "t"}],
              "query": [{"id": "q1", "input": "Generate a headline: rain", "gold": "It Rains"}]
            }]
            """
        );
        _folder.Write("shipped/model/config.json", "{}");
        foreach (var task in (string[])["news_headline", "topic_writing"])
        {
            _folder.Write($"shipped/tasks/{task}.yaml", TaskFile.ToYaml(TaskFile.LoadShipped(task)));
        }

        _folder.Write("shipped/recipes/first.yaml", "# The first recipe.\ntask: news_headline\nmodel: model\n");
    }

    public ToyStage Tam { get; } = new(StageId.TrainTam, ["tam"]);

    public ToyStage Sft { get; } = new(StageId.TrainSft, ["sft"], StageId.TrainTam);

    /// <summary>Writes the results of two methods.</summary>
    public ToyStage Evaluate { get; } =
        new(StageId.Evaluate, [], StageId.TrainSft)
        {
            BeforeExecute = context =>
            {
                AtomicFile.WriteText(
                    context.Run.Results,
                    """
                    {
                      "cope": {
                        "rouge-1": {"mean": 0.5, "se": 0.01, "n": 500},
                        "rouge-l": {"mean": 0.25, "se": 0.02, "n": 500}
                      },
                      "base": {"rouge-1": {"mean": 0.125, "se": 0, "n": 500}}
                    }
                    """
                );
                foreach (var method in (string[])["base", "cope"])
                {
                    AtomicFile.WriteText(
                        context.Run.Predictions(method),
                        $$"""{"task": "LaMP_4", "golds": [{"id": "q1", "output": "[{{method}}] said"}]}"""
                    );
                }
            },
        };

    /// <summary>Takes standard output in the place of <see cref="Output"/>, where set.</summary>
    public TextWriter? ReplaceOutput { get; set; }

    /// <summary>Takes standard error in the place of <see cref="Error"/>, where set.</summary>
    public TextWriter? ReplaceError { get; set; }

    public string Output => _output.ToString();

    public string Error => _error.ToString();

    /// <summary>The lines of <see cref="Error"/> that are errors.</summary>
    public IReadOnlyList<string> ErrorLines =>
        [.. Error.Split('\n').Where(line => line.StartsWith("cope: error:", StringComparison.Ordinal))];

    /// <summary>The folder in which commands run, beside that of <see cref="At"/>.</summary>
    public string WorkingFolder { get; set; } = "here";

    /// <summary>A place beside the folder of <see cref="At"/>.</summary>
    public string Beside(string relative) => _folder.At(relative);

    /// <summary>Writes a file beside the folder of <see cref="At"/>.</summary>
    public string Write(string relative, string text) => _folder.Write(relative, text);

    public string At(string relative) => _folder.At("here/" + relative);

    public int Run(params string[] args) => Run(CancellationToken.None, args);

    public int Run(CancellationToken cancellation, params string[] args)
    {
        _output.GetStringBuilder().Clear();
        _error.GetStringBuilder().Clear();
        return CommandLine.Run(
            args,
            new CommandHost
            {
                Out = ReplaceOutput ?? _output,
                Error = ReplaceError ?? _error,
                SearchFolders = [_folder.At(WorkingFolder), _folder.At("shipped")],
                Pipeline = new([Tam, Sft, Evaluate]),
                Cancellation = cancellation,
                ReadHubSettings = () => OfflineHub.Create(_folder),
            }
        );
    }

    public void Dispose() => _folder.Dispose();
}
