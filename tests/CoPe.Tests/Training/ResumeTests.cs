using CoPe.Training;

namespace CoPe.Tests.Training;

[Collection("torch")]
public sealed class ResumeTests : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("cope-resume").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    static float[][] Sft(
        ICheckpointStore? store,
        Action<StepMetrics>? metrics = null,
        long seed = 3,
        bool recompute = false,
        CancellationToken token = default
    )
    {
        using var model = TinyTraining.Model();
        using var adapters = TinyTraining.Adapters(0.1, 0, 1);
        try
        {
            SftTrainer.Train(
                new TrainingContext
                {
                    Model = model,
                    Options = TinyTraining.Options with
                    {
                        Seed = seed,
                        RecomputeLayers = recompute,
                        EarlyStopping = new() { Patience = 3, EverySteps = 1 },
                    },
                    Checkpoints = store,
                    Metrics = metrics,
                },
                adapters,
                [
                    new("ann", TinyTraining.History(1, 7)) { Development = TinyTraining.History(5, 2) },
                    new("bob", TinyTraining.History(2, 3)) { Development = TinyTraining.History(6, 2) },
                ],
                cancellation: token
            );
        }
        catch (OperationCanceledException)
        {
            return [];
        }
        return [TinyTraining.Values(adapters, 0), TinyTraining.Values(adapters, 1)];
    }

    [Fact]
    public void Cancelled_at_any_step_a_training_resumes_to_the_same_bits()
    {
        var undisturbed = Sft(null);
        for (var step = 1; step < 8; step++)
        {
            var store = new FolderCheckpointStore(Path.Combine(_folder, $"{step}"));
            using var cancel = new CancellationTokenSource();
            Sft(
                store,
                row =>
                {
                    if (row.Step == step)
                    {
                        cancel.Cancel();
                    }
                },
                token: cancel.Token
            );
            Assert.Equal(undisturbed, Sft(store));
        }
    }

    [Fact]
    public void Cancelled_at_every_step_in_turn_a_training_ends_with_the_same_bits()
    {
        var store = new FolderCheckpointStore(_folder);
        float[][] result = [];
        for (var attempt = 0; result.Length == 0 && attempt < 20; attempt++)
        {
            using var cancel = new CancellationTokenSource();
            result = Sft(
                store,
                row =>
                {
                    if (row.Figures.ContainsKey("grad_norm"))
                    {
                        cancel.Cancel();
                    }
                },
                token: cancel.Token
            );
        }
        Assert.Equal(Sft(null), result);
    }

    [Theory]
    [InlineData("[]", "0 users")]
    [InlineData("null", "null")]
    [InlineData("[null, null]", "null")]
    [InlineData("[{}, {}]", "lacks 'State'")]
    [InlineData("[{\"State\": null, \"OptimizerSteps\": 1}, {}]", "null")]
    [InlineData("[{\"State\": {\"LastLoss\": 1e400}, \"OptimizerSteps\": 1}, {}]", "out of range")]
    [InlineData("[{\"State\": ", "line 1")]
    [InlineData(null, "array 'weights' has 1 numbers")]
    public void A_checkpoint_that_is_none_of_this_training_is_refused(string? users, string expected)
    {
        using var cancel = new CancellationTokenSource();
        Sft(new FolderCheckpointStore(_folder), _ => cancel.Cancel(), token: cancel.Token);
        var saved = new FolderCheckpointStore(_folder).Load()!;
        var damaged = saved with
        {
            Users = users ?? saved.Users,
            Arrays = users is null
                ? saved.Arrays.ToDictionary(array => array.Key, array => array.Value[..1])
                : saved.Arrays,
        };
        var error = Assert.Throws<InvalidDataException>(() => Sft(new GivenCheckpoint(damaged)));
        Assert.Contains(_folder, error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    sealed class GivenCheckpoint(TrainingCheckpoint checkpoint) : ICheckpointStore
    {
        public TrainingCheckpoint? Load() => checkpoint;

        public void Save(TrainingCheckpoint other) { }

        public void Clear() { }
    }

    [Fact]
    public void Preference_training_resumes_to_the_same_bits_with_the_initial_adapter_as_reference()
    {
        using var model = TinyTraining.Model();
        float[] Run(ICheckpointStore? store, int stopAt)
        {
            using var adapters = TinyTraining.Adapters(0, 0);
            using var cancel = new CancellationTokenSource();
            var context = new TrainingContext
            {
                Model = model,
                Options = TinyTraining.Options with { Epochs = 1 },
                Checkpoints = store,
                Metrics = row =>
                {
                    if (row.Step == stopAt)
                    {
                        cancel.Cancel();
                    }
                },
            };
            try
            {
                DpoTrainer.Train(
                    context,
                    adapters,
                    [new("ann", TinyTraining.Pairs(1, 9))],
                    new() { Reference = DpoReference.Sft, RpoAlpha = 0.5 },
                    cancellation: cancel.Token
                );
            }
            catch (OperationCanceledException) { }
            return TinyTraining.Values(adapters);
        }
        var undisturbed = Run(null, -1);
        for (var step = 1; step < 5; step++)
        {
            var store = new FolderCheckpointStore(Path.Combine(_folder, $"{step}"));
            Assert.NotEqual(undisturbed, Run(store, step));
            Assert.Equal(undisturbed, Run(store, -1));
        }
    }

    [Fact]
    public void A_training_that_did_not_fit_into_memory_resumes_with_recomputed_layers()
    {
        var store = new FolderCheckpointStore(_folder);
        using var cancel = new CancellationTokenSource();
        Sft(store, row => cancel.Cancel(), token: cancel.Token);
        Assert.Equal(Sft(null), Sft(store, recompute: true));
    }

    [Fact]
    public void A_checkpoint_of_other_data_or_options_is_refused_by_name()
    {
        var store = new FolderCheckpointStore(_folder);
        using var cancel = new CancellationTokenSource();
        Sft(store, row => cancel.Cancel(), token: cancel.Token);
        var error = Assert.Throws<StaleCheckpointException>(() => Sft(store, seed: 4));
        Assert.Contains("data of ann, data of bob, options", error.Message, StringComparison.Ordinal);
    }
}
