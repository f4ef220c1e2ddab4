using CoPe.Adapters;
using CoPe.Training;

namespace CoPe.Tests.Training;

[Collection("torch")]
public sealed class DivergenceGuardTests : IDisposable
{
    static readonly TrainingOptions Thorough = TinyTraining.Options with { LearningRate = 0.05, Epochs = 60 };
    static readonly TrainingOptions TooFast = TinyTraining.Options with { LearningRate = 1, Epochs = 6 };

    readonly string _folder = Directory.CreateTempSubdirectory("cope-divergence").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    static TrainingOutcome? Train(
        AdapterBank adapters,
        TrainingOptions options,
        Action<StepMetrics>? metrics = null,
        ICheckpointStore? store = null,
        CancellationToken token = default
    )
    {
        using var model = TinyTraining.Model();
        var development = options.EarlyStopping is null ? [] : TinyTraining.History(1, 3);
        try
        {
            return SftTrainer.Train(
                new TrainingContext
                {
                    Model = model,
                    Options = options,
                    Metrics = metrics,
                    Checkpoints = store,
                },
                adapters,
                [new("ann", TinyTraining.History(1, 7)) { Development = development }],
                cancellation: token
            )[0];
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }

    /// <summary>An adapter that has learned its examples, so that a rate too high has something to destroy.</summary>
    static readonly Lazy<AdapterBank> Learned = new(() =>
    {
        var adapters = TinyTraining.Adapters(0, 0);
        Assert.True(Train(adapters, Thorough)!.FiguresAfter["loss"] < 2);
        return adapters;
    });

    static AdapterBank CreateLearned() => Learned.Value.Extract(0);

    [Fact]
    public void A_loss_that_rises_by_a_quarter_and_by_one_at_least_has_exploded()
    {
        Assert.Equal(1.5, DivergenceGuard.ComputeLimit(0.5));
        Assert.Equal(10, DivergenceGuard.ComputeLimit(8));
    }

    [Fact]
    public void A_user_whose_loss_explodes_keeps_the_adapter_of_their_lowest_loss()
    {
        using var adapters = CreateLearned();
        var weights = new List<float[]> { TinyTraining.Values(adapters) };
        var losses = new List<double>();
        var outcome = Train(
            adapters,
            TooFast,
            row =>
            {
                losses.Add(row.Figures["loss"]);
                weights.Add(TinyTraining.Values(adapters));
            }
        )!;

        Assert.Equal(TrainingStatus.Diverged, outcome.Status);
        Assert.True(losses[^1] > DivergenceGuard.ComputeLimit(losses[0]), $"{losses[0]} -> {losses[^1]}");
        var lowest = FindLowestSmoothed(losses);
        Assert.Equal(weights[lowest], TinyTraining.Values(adapters)); // a step's loss is that of the weights before it
        Assert.True(outcome.FiguresAfter["loss"] < DivergenceGuard.ComputeLimit(losses[0]));
    }

    /// <summary>The mean with weights .7 of the step before, written out.</summary>
    static int FindLowestSmoothed(List<double> losses)
    {
        var smoothed = losses
            .Select(
                (_, step) =>
                {
                    var shares = Enumerable.Range(0, step + 1).Select(i => Math.Pow(0.7, step - i)).ToList();
                    return shares.Zip(losses, (share, loss) => share * loss).Sum() / shares.Sum();
                }
            )
            .ToList();
        return smoothed.IndexOf(smoothed.Min());
    }

    [Fact]
    public void A_training_that_goes_well_ends_with_its_last_weights_and_says_how_far_it_came()
    {
        using var adapters = TinyTraining.Adapters(0, 0);
        float[] last = [];
        var losses = new List<double>();
        var outcome = Train(
            adapters,
            TinyTraining.Options,
            row =>
            {
                losses.Add(row.Figures["loss"]);
                last = TinyTraining.Values(adapters);
            }
        )!;

        Assert.Equal(TrainingStatus.Finished, outcome.Status);
        Assert.Equal(last, TinyTraining.Values(adapters));
        Assert.Equal(losses[0], outcome.FiguresBefore["loss"]);
        Assert.True(outcome.FiguresAfter["loss"] < losses[0]);
        Assert.Equal(2, outcome.ExamplesMeasured);
        Assert.Equal(
            2 * TinyTraining.History(1, 7).Sum(example => example.Prompt.Count + example.Response.Count - 1),
            outcome.Tokens
        );
    }

    [Fact]
    public void Stopped_at_any_step_a_training_that_diverges_ends_with_the_same_bits()
    {
        using var undisturbed = CreateLearned();
        var expected = Train(undisturbed, TooFast)!;
        for (var step = 1; step < expected.Steps; step += 7)
        {
            var store = new FolderCheckpointStore(Path.Combine(_folder, $"{step}"));
            using var cancel = new CancellationTokenSource();
            using var first = CreateLearned();
            Assert.Null(
                Train(
                    first,
                    TooFast,
                    row =>
                    {
                        if (row.Step == step)
                        {
                            cancel.Cancel();
                        }
                    },
                    store,
                    cancel.Token
                )
            );
            using var second = CreateLearned();
            var resumed = Train(second, TooFast, store: store)!;
            Assert.Equal(TrainingStatus.Diverged, resumed.Status);
            Assert.Equal(TinyTraining.Values(undisturbed), TinyTraining.Values(second));
            Assert.Equal(expected.FiguresBefore, resumed.FiguresBefore);
            Assert.Equal(expected.Tokens, resumed.Tokens);
        }
    }

    [Fact]
    public void Where_training_stops_early_the_adapter_of_the_lowest_development_loss_is_kept()
    {
        using var adapters = CreateLearned();
        var start = TinyTraining.Values(adapters);
        var development = new List<double>();
        var outcome = Train(
            adapters,
            TooFast with
            {
                WarmupRatio = 0,
                EarlyStopping = new() { Patience = 3, EverySteps = 1 },
            },
            row =>
            {
                if (row.Figures.TryGetValue("development loss", out var loss))
                {
                    development.Add(loss);
                }
            }
        )!;

        Assert.Equal(TrainingStatus.Diverged, outcome.Status);
        Assert.Equal(development[0], development.Min());
        Assert.Equal(start, TinyTraining.Values(adapters));
    }

    [Fact]
    public void A_model_that_has_learned_diverges_at_a_rate_far_too_high()
    {
        using var model = TinyTraining.Trainable();
        Assert.Equal(TrainingStatus.Finished, Pretrain(rate: 0.02, epochs: 12).Status);
        Assert.Equal(TrainingStatus.Diverged, Pretrain(rate: 1, epochs: 2).Status);

        TrainingOutcome Pretrain(double rate, int epochs) =>
            Pretrainer.Train(
                new TrainingContext
                {
                    Model = model,
                    Options = Pretrainer.Defaults with { Epochs = epochs, LearningRate = rate },
                },
                new() { Tokens = [.. Enumerable.Range(0, 800).Select(i => i % 5)], Window = 16 }
            );
    }

    [Fact]
    public void A_training_of_a_single_step_moves_the_adapter()
    {
        using var adapters = TinyTraining.Adapters(0, 0);
        var start = TinyTraining.Values(adapters);
        var rates = new List<double>();

        var outcome = Train(
            adapters,
            TinyTraining.Options with
            {
                BatchSize = 8,
                Epochs = 1,
            },
            row => rates.Add(row.Figures["lr"])
        )!;

        Assert.Equal([TinyTraining.Options.LearningRate], rates);
        Assert.NotEqual(start, TinyTraining.Values(adapters));
        Assert.Equal(1, outcome.Steps);
    }
}
