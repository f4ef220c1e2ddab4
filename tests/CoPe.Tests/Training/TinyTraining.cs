using CoPe.Adapters;
using CoPe.Modeling;
using CoPe.Training;

namespace CoPe.Tests.Training;

/// <summary>A tiny model, and histories of invented ids for it.</summary>
static class TinyTraining
{
    public static readonly DecoderConfig Config = new()
    {
        VocabSize = 64,
        HiddenSize = 32,
        IntermediateSize = 48,
        LayerCount = 2,
        HeadCount = 4,
        KeyValueHeadCount = 2,
        HeadDim = 8,
        TiedHead = true,
    };

    public static readonly TrainingOptions Options = new()
    {
        LearningRate = 0.01,
        Epochs = 2,
        BatchSize = 2,
        Seed = 3,
    };

    /// <summary>Weights large enough for answers to depend on them; frozen.</summary>
    public static CausalLm Model()
    {
        var model = Trainable();
        using var noGrad = TorchSharp.torch.no_grad();
        foreach (var weight in model.Weights.Parameters())
        {
            weight.requires_grad = false;
            if (weight.dim() > 1)
            {
                weight.mul_(8);
            }
        }
        return model;
    }

    public static CausalLm Trainable() => new(Config, ModelWeights.Initialize(Config, 11));

    public static AdapterBank Adapters(double dropout, params long[] seeds) =>
        AdapterBank.Create(
            Config,
            new LoraConfig
            {
                Rank = 4,
                Alpha = 8,
                Dropout = dropout,
            },
            seeds
        );

    public static SupervisedExample[] History(int seed, int count)
    {
        var random = new Random(seed);
        return
        [
            .. Enumerable
                .Range(0, count)
                .Select(i => new SupervisedExample($"{i}", Ids(random, 3, 9), Ids(random, 2, 6))),
        ];
    }

    public static PreferenceExample[] Pairs(int seed, int count)
    {
        var random = new Random(seed);
        return
        [
            .. Enumerable
                .Range(0, count)
                .Select(i => new PreferenceExample($"{i}", Ids(random, 3, 9), Ids(random, 1, 6), Ids(random, 1, 6))),
        ];
    }

    /// <summary>All factors of one adapter, in model order.</summary>
    public static float[] Values(AdapterBank bank, int index = 0)
    {
        using var scope = TorchSharp.torch.NewDisposeScope();
        return [.. bank.Parameters().SelectMany(factor => factor.detach()[index].contiguous().data<float>().ToArray())];
    }

    public static double LargestDifference(float[] one, float[] other) =>
        one.Zip(other, (a, b) => Math.Abs((double)a - b)).Max();

    static int[] Ids(Random random, int least, int most) =>
        [.. Enumerable.Range(0, random.Next(least, most + 1)).Select(_ => random.Next(Config.VocabSize))];
}
