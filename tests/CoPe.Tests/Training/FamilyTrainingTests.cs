using CoPe.Adapters;
using CoPe.Modeling;
using CoPe.Testing;
using CoPe.Tests.Modeling;
using CoPe.Training;
using static TorchSharp.torch;

namespace CoPe.Tests.Training;

/// <summary>
/// Whole trainings on every golden model, with adapters on all of its own linear layers: the losses are those of
/// <see cref="NaiveDecoder"/> on the base model and on the model with the trained adapter merged, as it lies on disk.
/// </summary>
[Collection("torch")]
public sealed class FamilyTrainingTests : IDisposable
{
    static readonly LoraConfig Lora = new()
    {
        Rank = 3,
        Alpha = 6,
        TargetModules = ["all-linear"],
        Dropout = 0,
    };

    readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Models => [.. GoldenFolders.Entries("models", "*")];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Models))]
    public void Supervised_training_lowers_the_loss_of_the_definition(string folder)
    {
        var example = TinyTraining.History(1, 1)[0];
        using var model = CausalLm.Load(folder, ScalarType.Float32);
        using var bank = AdapterBank.Create(model.Config, Lora, [1]);
        var losses = TrainSft(model, bank, example, epochs: 8);
        Assert.Equal(ComputeLoss(folder, example), losses[0], 1e-4);
        Assert.True(losses[^1] < losses[0] - 0.05, $"The loss went from {losses[0]} to {losses[^1]}.");

        var merged = Merge(folder, bank);
        Assert.Equal(ComputeLoss(merged, example), TrainSft(model, bank, example, epochs: 1)[0], 1e-4);
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Preference_training_widens_the_margin_of_the_definition(string folder)
    {
        var pair = TinyTraining.Pairs(3, 1)[0];
        using var model = CausalLm.Load(folder, ScalarType.Float32);
        using var bank = AdapterBank.Create(model.Config, Lora, [1]);
        var steps = TrainDpo(model, bank, pair, epochs: 8);
        var before = ComputeLogProbs(folder, pair);
        AssertLogProbs(before, steps[0]);
        Assert.Equal(Math.Log(2), steps[0]["loss"], 1e-5);
        Assert.True(steps[^1]["rewards/margins"] > 1e-3, $"The margin is {steps[^1]["rewards/margins"]}.");

        var after = ComputeLogProbs(Merge(folder, bank), pair);
        var more = TrainDpo(model, bank, pair, epochs: 1)[0];
        AssertLogProbs(after, more);
        var margin = new DpoOptions().Beta * (after.Chosen - before.Chosen - (after.Rejected - before.Rejected));
        Assert.Equal(margin, more["rewards/margins"], 1e-4);
        Assert.Equal(Math.Log(1 + Math.Exp(-margin)), more["loss"], 1e-4);
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Cancelled_trainings_resume_to_the_same_bits(string folder)
    {
        using var model = CausalLm.Load(folder);
        var undisturbed = Run(store: null, stopAt: -1);
        foreach (var step in (int[])[1, 2])
        {
            var store = _folder.At($"{step}");
            Run(store, step);
            Assert.Equal(undisturbed, Run(store, stopAt: -1));
        }

        float[] Run(string? store, int stopAt)
        {
            using var bank = AdapterBank.Create(model.Config, Lora with { Dropout = 0.1 }, [1]);
            using var cancel = new CancellationTokenSource();
            try
            {
                SftTrainer.Train(
                    CreateContext("sft"),
                    bank,
                    [new("ann", TinyTraining.History(1, 4))],
                    cancellation: cancel.Token
                );
                DpoTrainer.Train(
                    CreateContext("dpo"),
                    bank,
                    [new("ann", TinyTraining.Pairs(3, 4))],
                    new DpoOptions(),
                    cancellation: cancel.Token
                );
            }
            catch (OperationCanceledException)
            {
                return [];
            }

            return TinyTraining.Values(bank);

            TrainingContext CreateContext(string stage) =>
                new()
                {
                    Model = model,
                    Options = TinyTraining.Options,
                    Checkpoints = store is null ? null : new FolderCheckpointStore(Path.Combine(store, stage)),
                    Metrics = row => CancelAt(row, stopAt, cancel),
                };
        }
    }

    static void CancelAt(StepMetrics row, int step, CancellationTokenSource cancel)
    {
        if (row.Step == step)
        {
            cancel.Cancel();
        }
    }

    string Merge(string folder, AdapterBank bank)
    {
        var merged = _folder.At("merged");
        AdapterMerge.WriteModelFolder(folder, [bank], merged, dtype: ScalarType.Float32);
        return merged;
    }

    static void AssertLogProbs((double Chosen, double Rejected) expected, IReadOnlyDictionary<string, double> step)
    {
        Assert.Equal(expected.Chosen, step["logps/chosen"], 1e-3);
        Assert.Equal(expected.Rejected, step["logps/rejected"], 1e-3);
    }

    static List<double> TrainSft(CausalLm model, AdapterBank bank, SupervisedExample example, int epochs)
    {
        var losses = new List<double>();
        var context = CreateContext(model, epochs, row => losses.Add(row.Figures["loss"]));
        SftTrainer.Train(context, bank, [new("ann", [example])]);
        return losses;
    }

    static List<IReadOnlyDictionary<string, double>> TrainDpo(
        CausalLm model,
        AdapterBank bank,
        PreferenceExample pair,
        int epochs
    )
    {
        var steps = new List<IReadOnlyDictionary<string, double>>();
        var context = CreateContext(model, epochs, row => steps.Add(row.Figures));
        DpoTrainer.Train(context, bank, [new("ann", [pair])], new DpoOptions());
        return steps;
    }

    static TrainingContext CreateContext(CausalLm model, int epochs, Action<StepMetrics> metrics) =>
        new()
        {
            Model = model,
            Options = TinyTraining.Options with { Epochs = epochs, BatchSize = 1 },
            Metrics = metrics,
        };

    static double ComputeLoss(string folder, SupervisedExample example) =>
        -ComputeLogProbs(new NaiveDecoder(folder), example.Prompt, example.Response) / example.Response.Count;

    static (double Chosen, double Rejected) ComputeLogProbs(string folder, PreferenceExample pair)
    {
        var naive = new NaiveDecoder(folder);
        return (ComputeLogProbs(naive, pair.Prompt, pair.Chosen), ComputeLogProbs(naive, pair.Prompt, pair.Rejected));
    }

    /// <summary>Sum of a response's log-probabilities.</summary>
    static double ComputeLogProbs(NaiveDecoder naive, IReadOnlyList<int> prompt, IReadOnlyList<int> response)
    {
        var logits = naive.Logits([.. prompt.Concat(response).Select(id => (long)id)]);
        return response
            .Select((id, i) => (Id: id, Logits: logits[prompt.Count - 1 + i]))
            .Sum(step => step.Logits[step.Id] - Math.Log(step.Logits.Sum(Math.Exp)));
    }
}
