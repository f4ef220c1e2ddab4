using CoPe.Training;

namespace CoPe.Tests.Training;

[Collection("torch")]
public sealed class PretrainerTests : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("cope-pretrain").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    // A stream of period 5: a model that learns it predicts every token.
    static readonly int[] Stream = [.. Enumerable.Range(0, 800).Select(i => i % 5)];

    static (List<double> Losses, float[] Weights) Train(int epochs, ICheckpointStore? store = null, int stopAt = -1)
    {
        using var model = TinyTraining.Trainable();
        using var cancel = new CancellationTokenSource();
        var losses = new List<double>();
        var corpus = new PretrainingCorpus
        {
            Tokens = Stream,
            Window = 16,
            Conversations = TinyTraining.History(1, 3),
        };
        var context = new TrainingContext
        {
            Model = model,
            Checkpoints = store,
            Options = Pretrainer.Defaults with { Epochs = epochs, LearningRate = 0.02 },
            Metrics = row =>
            {
                losses.Add(row.Figures["loss"]);
                if (row.Step == stopAt)
                {
                    cancel.Cancel();
                }
            },
        };
        try
        {
            Pretrainer.Train(context, corpus, null, cancel.Token);
        }
        catch (OperationCanceledException) { }
        return (losses, [.. model.Weights.Parameters().SelectMany(weight => weight.data<float>().ToArray())]);
    }

    [Fact]
    public void A_model_learns_a_stream_that_repeats()
    {
        var losses = Train(12).Losses;
        Assert.Equal(Math.Log(64), losses[0], 0.2);
        Assert.True(losses[^1] < 0.5, $"loss is {losses[^1]}");
    }

    [Fact]
    public void Pre_training_resumes_to_the_same_bits()
    {
        var store = new FolderCheckpointStore(_folder);
        Train(1, store, stopAt: 2);
        Assert.Equal(Train(1).Weights, Train(1, store).Weights);
    }

    [Fact]
    public void Frozen_weights_are_refused_by_name()
    {
        using var model = TinyTraining.Model();
        Assert.Contains(
            "model.embed_tokens.weight",
            Assert
                .Throws<ArgumentException>(() =>
                    Pretrainer.Train(new TrainingContext { Model = model }, new() { Tokens = Stream })
                )
                .Message,
            StringComparison.Ordinal
        );
    }
}
