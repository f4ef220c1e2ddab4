using CoPe.Adapters;
using CoPe.Modeling;
using CoPe.Training;

namespace CoPe.Tests.Training;

/// <summary>Trainings of adapters that have an embedding or a head of their own.</summary>
[Collection("torch")]
public sealed class SavedModulesTrainingTests : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("cope-saved-modules").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("embed_tokens", false)]
    [InlineData("lm_head", false)]
    [InlineData("embed_tokens lm_head", false)]
    [InlineData("embed_tokens", true)]
    public void Cancelled_at_any_step_supervised_and_preference_training_resume_to_the_same_bits(
        string names,
        bool ensuresTying
    )
    {
        var lora = new LoraConfig
        {
            Rank = 4,
            Dropout = 0.1,
            ModulesToSave = names.Split(' '),
            EnsureWeightTying = ensuresTying,
        };
        var undisturbed = Run(lora, null);
        foreach (var step in (int[])[1, 3, 5])
        {
            var store = Path.Combine(_folder, $"{step}");
            Run(lora, store, step);
            Assert.Equal(undisturbed, Run(lora, store));
        }
    }

    [Fact]
    public void They_are_trained_from_those_of_the_adapter_below_and_lower_the_loss()
    {
        using var model = TinyTraining.Model();
        var lora = new LoraConfig
        {
            Rank = 4,
            Dropout = 0,
            ModulesToSave = ["embed_tokens", "lm_head"],
        };
        using var task = AdapterBank.Create(model, lora, [1]);
        using var before = task.Extract(0);
        var losses = Train(model, task, null);
        Assert.True(losses[^1] < losses[0], $"The loss went from {losses[0]} to {losses[^1]}.");
        Assert.All(
            task.Saved!.Parameters.Zip(before.Saved!.Parameters),
            pair => Assert.False(pair.First.Equals(pair.Second))
        );

        using var user = AdapterBank.Create(model, lora, [2], task);
        Assert.True(user.Saved!.Head!.Equals(task.Saved.Head!));
        var more = Train(model, user, task);
        Assert.True(more[0] < losses[0], $"The user's training began at {more[0]}, the task's at {losses[0]}.");
        Assert.False(user.Saved.Head!.Equals(task.Saved.Head!));
    }

    [Fact]
    public void An_embedding_and_a_head_that_are_adapted_as_one_are_not_trained()
    {
        using var model = TinyTraining.Model();
        using var source = AdapterBank.Create(
            model.Config,
            new LoraConfig { TargetModules = ["embed_tokens", "lm_head"] },
            [1]
        );
        using var bank = AdapterBank.Build(
            [source.Config with { EnsureWeightTying = true }],
            source.LayerNames,
            name => new LoraPair(source.Pairs[name].A.clone(), source.Pairs[name].B.clone()),
            () => null
        );
        var error = Assert.Throws<ArgumentException>(() => Train(model, bank, null));
        Assert.Contains("ensure_weight_tying", error.Message, StringComparison.Ordinal);
    }

    static List<double> Train(CausalLm model, AdapterBank bank, AdapterBank? task)
    {
        var losses = new List<double>();
        SftTrainer.Train(
            new TrainingContext
            {
                Model = model,
                Options = TinyTraining.Options with { Epochs = 6 },
                Metrics = row => losses.Add(row.Figures["loss"]),
            },
            bank,
            [new("ann", TinyTraining.History(1, 4))],
            task
        );
        return losses;
    }

    static float[][] Run(LoraConfig lora, string? store, int stopAt = -1)
    {
        using var model = TinyTraining.Model();
        using var task = TinyTraining.Adapters(0, 7);
        using var bank = AdapterBank.Create(model, lora, [0, 1], task);
        using var cancel = new CancellationTokenSource();
        try
        {
            SftTrainer.Train(
                CreateContext(model, "sft"),
                bank,
                [new("ann", TinyTraining.History(1, 7)), new("bob", TinyTraining.History(2, 3))],
                task,
                cancellation: cancel.Token
            );
            DpoTrainer.Train(
                CreateContext(model, "dpo"),
                bank,
                [new("ann", TinyTraining.Pairs(3, 5)), new("bob", TinyTraining.Pairs(4, 4))],
                new DpoOptions(),
                task,
                cancellation: cancel.Token
            );
        }
        catch (OperationCanceledException)
        {
            return [];
        }

        return [TinyTraining.Values(bank, 0), TinyTraining.Values(bank, 1)];

        TrainingContext CreateContext(CausalLm of, string stage) =>
            new()
            {
                Model = of,
                Options = TinyTraining.Options,
                Checkpoints = store is null ? null : new FolderCheckpointStore(Path.Combine(store, stage)),
                Metrics = row =>
                {
                    if (row.Step == stopAt)
                    {
                        cancel.Cancel();
                    }
                },
            };
    }
}
