using CoPe.Experiments.Runs;
using CoPe.Experiments.Runs.Pretraining;
using CoPe.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace CoPe.Experiments.Tests.Runs.Pretraining;

[Collection("torch")]
public sealed class ModelPretrainingTests : IDisposable
{
    readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    static PretrainRecipe Recipe(int vocabulary) =>
        new()
        {
            Documents = 20,
            Instructions = 5,
            DevelopmentShare = 0,
            Shape = new()
            {
                Vocabulary = vocabulary,
                Layers = 1,
                Hidden = 32,
                Intermediate = 64,
                Heads = 2,
                KeyValueHeads = 1,
                Context = 1024,
            },
            Training = new() { Window = 64, BatchSize = 8 },
        };

    void Train(int vocabulary, bool stops = false)
    {
        using var stop = new CancellationTokenSource();
        ModelPretraining.CreateModel(
            Recipe(vocabulary),
            _folder.At("model"),
            stops ? new Stopping(stop) : null,
            NullLogger.Instance,
            stop.Token
        );
    }

    SortedDictionary<string, string> Files() =>
        new(
            Directory
                .EnumerateFiles(_folder.At("model"))
                .ToDictionary(file => Path.GetFileName(file), file => Convert.ToHexString(File.ReadAllBytes(file))),
            StringComparer.Ordinal
        );

    [Fact]
    public void A_former_model_stays_whole_until_the_new_one_is_finished()
    {
        Train(400);
        var former = Files();

        Assert.ThrowsAny<OperationCanceledException>(() => Train(420, stops: true));
        Assert.Equal(former, Files());
        var error = Assert.Throws<RunException>(() => Train(440));
        Assert.Contains("model.work", error.Message, StringComparison.Ordinal);

        Train(420);
        Assert.Equal(former.Keys, Files().Keys);
        Assert.All(
            former.Where(file => file.Key is "tokenizer.json" or "model.safetensors"),
            file => Assert.NotEqual(file.Value, Files()[file.Key])
        );
        Assert.False(Directory.Exists(_folder.At("model.work")));
    }

    /// <summary>Stops at the first step of the training.</summary>
    sealed class Stopping(CancellationTokenSource stop) : IProgress<StageProgress>
    {
        public void Report(StageProgress value)
        {
            if (value.Stage == "pretrain" && value.Done > 0)
            {
                stop.Cancel();
            }
        }
    }
}
