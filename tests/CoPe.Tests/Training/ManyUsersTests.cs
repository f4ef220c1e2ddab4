using CoPe.Adapters;
using CoPe.Modeling;
using CoPe.Training;

namespace CoPe.Tests.Training;

[Collection("torch")]
public class ManyUsersTests
{
    static readonly string[] Names = ["ann", "bob", "cleo"];
    static readonly SupervisedExample[][] Histories =
    [
        TinyTraining.History(1, 7),
        TinyTraining.History(2, 2),
        TinyTraining.History(3, 5),
    ];

    static float[][] Train(
        CausalLm model,
        int[] users,
        TrainingOptions options,
        double dropout = 0.1,
        AdapterBank? task = null
    )
    {
        using var adapters = TinyTraining.Adapters(dropout, [.. users.Select(user => (long)user)]);
        SftTrainer.Train(
            new TrainingContext { Model = model, Options = options },
            adapters,
            [.. users.Select(user => new UserTrainingSet<SupervisedExample>(Names[user], Histories[user]))],
            task
        );
        return [.. users.Select((_, i) => TinyTraining.Values(adapters, i))];
    }

    [Fact]
    public void A_user_ends_as_they_would_alone_whoever_trains_beside_them()
    {
        using var model = TinyTraining.Model();
        using var task = TinyTraining.Adapters(0, 99);
        var together = Train(model, [0, 1, 2], TinyTraining.Options, task: task);
        for (var user = 0; user < 3; user++)
        {
            Assert.True(
                TinyTraining.LargestDifference(
                    together[user],
                    Train(model, [user], TinyTraining.Options, task: task)[0]
                ) < 1e-5
            );
        }
    }

    [Fact]
    public void Passes_of_few_tokens_give_what_one_pass_gives()
    {
        using var model = TinyTraining.Model();
        var whole = Train(model, [0, 1, 2], TinyTraining.Options);
        var split = Train(model, [0, 1, 2], TinyTraining.Options with { TokensPerPass = 16 });
        for (var user = 0; user < 3; user++)
        {
            Assert.True(TinyTraining.LargestDifference(whole[user], split[user]) < 1e-5);
        }
    }

    [Fact]
    public void With_split_batches_and_dropout_a_user_still_ends_as_they_would_alone()
    {
        using var model = TinyTraining.Model();
        var options = TinyTraining.Options with { TokensPerPass = 16 };
        var together = Train(model, [2, 0, 1], options);
        Assert.True(TinyTraining.LargestDifference(together[1], Train(model, [0], options)[0]) < 1e-5);
    }

    [Fact]
    public void Accumulated_batches_are_one_batch_of_all_their_examples()
    {
        using var model = TinyTraining.Model();
        var accumulated = Train(model, [0], TinyTraining.Options with { BatchSize = 2, GradientAccumulation = 2 });
        Assert.Equal(Train(model, [0], TinyTraining.Options with { BatchSize = 4 })[0], accumulated[0]);
    }

    [Fact]
    public void The_same_seed_gives_the_same_bits_and_another_seed_others()
    {
        using var model = TinyTraining.Model();
        var first = Train(model, [0, 1], TinyTraining.Options);
        Assert.Equal(first[0], Train(model, [0, 1], TinyTraining.Options)[0]);
        Assert.NotEqual(first[0], Train(model, [0, 1], TinyTraining.Options with { Seed = 4 })[0]);
    }

    [Fact]
    public void Layers_computed_again_for_their_gradients_train_to_the_same_bits_and_leave_nothing_behind()
    {
        using var model = TinyTraining.Model();
        using var task = TinyTraining.Adapters(0, 99);
        var kept = Train(model, [0, 1], TinyTraining.Options, task: task);
        var before = TorchSharp.torch.Tensor.TotalCount;
        var again = Train(model, [0, 1], TinyTraining.Options with { RecomputeLayers = true }, task: task);
        Assert.Equal(kept, again);
        GC.Collect();
        GC.WaitForPendingFinalizers();
        Assert.Equal(before, TorchSharp.torch.Tensor.TotalCount);
    }

    [Fact]
    public void Preference_training_of_many_users_gives_what_training_alone_gives()
    {
        using var model = TinyTraining.Model();
        PreferenceExample[][] pairs = [TinyTraining.Pairs(1, 5), TinyTraining.Pairs(2, 3)];
        float[] Run(int[] users, int index)
        {
            using var adapters = TinyTraining.Adapters(0, [.. users.Select(user => (long)user)]);
            DpoTrainer.Train(
                new TrainingContext { Model = model, Options = TinyTraining.Options },
                adapters,
                [.. users.Select(user => new UserTrainingSet<PreferenceExample>(Names[user], pairs[user]))],
                new()
            );
            return TinyTraining.Values(adapters, index);
        }
        for (var user = 0; user < 2; user++)
        {
            Assert.True(TinyTraining.LargestDifference(Run([0, 1], user), Run([user], 0)) < 1e-5);
        }
    }

    [Fact]
    public void A_user_who_diverges_keeps_their_last_good_adapter_and_the_others_continue()
    {
        using var model = TinyTraining.Model();
        using var adapters = TinyTraining.Adapters(0, 0, 1);
        var start = TinyTraining.Values(adapters, 1);
        var poisoned = false;
        var outcomes = SftTrainer.Train(
            new TrainingContext
            {
                Model = model,
                Options = TinyTraining.Options with { WarmupRatio = 1 },
                Metrics = row =>
                {
                    if (poisoned || row is not { User: "bob", Step: 1 })
                    {
                        return;
                    }

                    poisoned = true;
                    using var noGrad = TorchSharp.torch.no_grad();
                    // The leaf; the weights kept by the optimizer are whole.
                    adapters.Parameters()[0][1].fill_(float.NaN);
                },
            },
            adapters,
            [new("ann", Histories[0]), new("bob", Histories[2])]
        );
        Assert.Equal([TrainingStatus.Finished, TrainingStatus.Diverged], outcomes.Select(outcome => outcome.Status));
        Assert.Equal(start, TinyTraining.Values(adapters, 1)); // the first step has rate 0
        Assert.True(
            TinyTraining.LargestDifference(
                TinyTraining.Values(adapters, 0),
                Train(model, [0], TinyTraining.Options with { WarmupRatio = 1 }, dropout: 0)[0]
            ) < 1e-5
        );
    }

    [Fact]
    public void A_user_without_examples_keeps_their_adapter_and_is_named()
    {
        using var model = TinyTraining.Model();
        using var adapters = TinyTraining.Adapters(0, 0, 1);
        var start = TinyTraining.Values(adapters, 1);
        var outcomes = SftTrainer.Train(
            new TrainingContext { Model = model, Options = TinyTraining.Options },
            adapters,
            [new("ann", Histories[0]), new("bob", [])]
        );
        Assert.Equal(TrainingStatus.NoExamples, outcomes[1].Status);
        Assert.Equal(start, TinyTraining.Values(adapters, 1));
    }

    [Fact]
    public void Training_sets_that_are_not_one_for_each_adapter_are_refused()
    {
        using var model = TinyTraining.Model();
        using var adapters = TinyTraining.Adapters(0, 0, 1);
        var context = new TrainingContext { Model = model };
        UserTrainingSet<SupervisedExample> ann = new("ann", Histories[0]);
        Assert.Throws<ArgumentException>(() => SftTrainer.Train(context, adapters, [ann]));
        Assert.Throws<ArgumentException>(() => SftTrainer.Train(context, adapters, [ann, ann]));
    }

    [Fact]
    public void Training_leaves_no_tensor_behind()
    {
        using var model = TinyTraining.Model();
        Train(model, [0, 1, 2], TinyTraining.Options with { TokensPerPass = 16 });
        GC.Collect();
        GC.WaitForPendingFinalizers(); // what other tests left behind
        var before = TorchSharp.torch.Tensor.TotalCount;
        Train(model, [0, 1, 2], TinyTraining.Options with { TokensPerPass = 16 });
        Assert.Equal(before, TorchSharp.torch.Tensor.TotalCount);
    }
}
