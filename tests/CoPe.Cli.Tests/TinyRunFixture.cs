using CoPe.Cli.Hub;
using CoPe.Cli.Tests.Hub;
using CoPe.Experiments.Data.Samples;
using CoPe.Experiments.Runs;
using CoPe.Experiments.Runs.Pretraining;
using CoPe.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace CoPe.Cli.Tests;

/// <summary>
/// A model, data and a recipe so small that all stages take a second or two, and one run of it that nothing disturbed.
/// </summary>
public sealed class TinyRunFixture : IDisposable
{
    const string Recipe = """
        task: news_headline
        model: model
        data: data
        tam: { epochs: 1, batch_size: 4, cut_off: 400, max_words: 12, learning_rate: 0.01 }
        sft: { epochs: 2, batch_size: 2, cut_off: 400, max_words: 12, learning_rate: 0.01, users_at_once: 1 }
        negatives: { candidates: 2, max_new_tokens: 5 }
        dpo: { batch_size: 2, cut_off: 400, max_words: 12, learning_rate: 0.01 }
        decode: { max_new_tokens: 5 }
        evaluate: { resamples: 100 }
        """;

    readonly TemporaryFolder _folder = new();

    public TinyRunFixture()
    {
        var recipe = new PretrainRecipe
        {
            Documents = 30,
            Instructions = 30,
            DevelopmentShare = 0,
            Shape = new()
            {
                Vocabulary = 400,
                Layers = 1,
                Hidden = 32,
                Intermediate = 64,
                Heads = 2,
                KeyValueHeads = 1,
                Context = 1024,
            },
            Training = new() { Window = 64, BatchSize = 8 },
        };
        ModelPretraining.CreateModel(
            recipe,
            _folder.At("model"),
            progress: null,
            NullLogger.Instance,
            CancellationToken.None
        );
        SampleData.Write(
            _folder.At("data"),
            new()
            {
                Users = 2,
                OtherUsers = 4,
                MinHistory = 3,
                MaxHistory = 3,
                OtherHistory = 0,
                QueriesPerUser = 2,
                Documents = 0,
                Instructions = 0,
            }
        );
        _folder.Write("recipe.yaml", Recipe);
        Assert.Equal(0, RunAll("undisturbed"));
    }

    public string Output { get; private set; } = "";

    public string Error { get; private set; } = "";

    /// <summary>What is piped into the next command.</summary>
    public string? Input { get; set; }

    /// <summary>The hub that the next commands see; null is one without network and with an empty cache.</summary>
    internal HubSettings? Hub { get; set; }

    public RunDirectory RunAt(string run) => new(_folder.At(run));

    /// <summary>A place in the folder in which commands run.</summary>
    public string PathOf(string file) => _folder.At(file);

    /// <summary>All stages into a run folder of that name.</summary>
    public int RunAll(string run, CancellationToken cancellation = default) =>
        RunCommand(cancellation, "run", "recipe.yaml", "--run", run);

    public int RunCommand(CancellationToken cancellation, params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        using var input = Input is null ? null : new StringReader(Input);
        var code = CommandLine.Run(
            args,
            new()
            {
                Out = output,
                Error = error,
                In = input,
                ReadHubSettings = () => Hub ?? OfflineHub.Create(_folder),
                SearchFolders = [_folder.Path, AppContext.BaseDirectory],
                Cancellation = cancellation,
            }
        );
        (Output, Error) = (output.ToString(), error.ToString());
        return code;
    }

    /// <summary>Adapters, answers and figures of a run by their place in it.</summary>
    public SortedDictionary<string, string> HashArtifacts(string run)
    {
        var root = RunAt(run).Root;
        string[] kinds =
        [
            "adapter_model.safetensors",
            "candidates.jsonl",
            "pairs.jsonl",
            "likelihood.jsonl",
            "results.json",
        ];
        var files = Directory
            .EnumerateFiles(root, "*", SearchOption.AllDirectories)
            .Where(file =>
                kinds.Contains(Path.GetFileName(file)) || Path.GetFileName(Path.GetDirectoryName(file)) == "predictions"
            );
        return new(
            files.ToDictionary(
                file => Path.GetRelativePath(root, file),
                file => Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(file)))
            ),
            StringComparer.Ordinal
        );
    }

    public void Dispose() => _folder.Dispose();
}
