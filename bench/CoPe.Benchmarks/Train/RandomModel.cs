using CoPe.Modeling;
using static TorchSharp.torch;

namespace CoPe.Benchmarks.Train;

/// <summary>Models of a shape, with random frozen bf16 weights: speed does not ask what they know.</summary>
static class RandomModel
{
    /// <summary>The shape of Qwen2.5-0.5B, with as many layers as asked for.</summary>
    public static DecoderConfig HalfBillion(int layers) => new()
    {
        ModelType = "qwen2", VocabSize = 151936, HiddenSize = 896, IntermediateSize = 4864, LayerCount = layers, HeadCount = 14, KeyValueHeadCount = 2, HeadDim = 64, QueryKeyValueBias = true, TiedHead = true,
    };

    /// <summary>The shape of the embedded model.</summary>
    public static DecoderConfig Embedded { get; } = new()
    {
        VocabSize = 2048, HiddenSize = 192, IntermediateSize = 512, LayerCount = 4, HeadCount = 6, KeyValueHeadCount = 3, HeadDim = 32, TiedHead = true,
    };

    /// <summary>A model the caller owns.</summary>
    public static CausalLm Make(DecoderConfig config)
    {
        using var generator = new Generator(1, CPU);
        var weights = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (var (name, shape) in WeightLayout.Weights(config))
        {
            using var scope = NewDisposeScope();
            var value = shape.Length == 2 ? randn(shape, dtype: ScalarType.Float32, generator: generator).mul_(0.02) : ones(shape, dtype: ScalarType.Float32);
            weights[name] = value.to(ScalarType.BFloat16).DetachFromDisposeScope();
        }
        return new CausalLm(config, new ModelWeights(config, weights));
    }
}
