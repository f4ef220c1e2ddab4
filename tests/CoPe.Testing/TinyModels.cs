using CoPe.Adapters;
using CoPe.Modeling;
using static TorchSharp.torch;

namespace CoPe.Testing;

/// <summary>Small random models that exercise every branch: grouped heads, windows, biases, norms.</summary>
static class TinyModels
{
    public static readonly DecoderConfig Plain = new()
    {
        VocabSize = 40,
        HiddenSize = 16,
        IntermediateSize = 24,
        LayerCount = 2,
        HeadCount = 4,
        KeyValueHeadCount = 2,
        HeadDim = 6,
        TiedHead = true,
    };

    public static readonly DecoderConfig Everything = Plain with
    {
        LayerCount = 3,
        QueryKeyNorm = true,
        QueryKeyValueBias = true,
        OutputBias = true,
        FeedForwardBias = true,
        NormAddsOne = true,
        Norms = LayerNorms.AroundBlocks,
        ScaleEmbedding = true,
        Activation = Activation.GeluTanh,
        QueryScalar = 9,
        SlidingWindow = 3,
        SlidingLayers = [true, false, true],
        SlidingRope = new RopeConfig { Theta = 100 },
        TiedHead = false,
    };

    public static DecoderConfig FromName(string name) => name == nameof(Everything) ? Everything : Plain;

    /// <summary>A model whose weights are large enough that everything matters.</summary>
    public static CausalLm Random(DecoderConfig config, long seed = 1, bool train = false)
    {
        var weights = ModelWeights.Initialize(config, seed);
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)seed + 77, CPU);
        foreach (var weight in weights.Parameters())
        {
            weight.requires_grad = train;
            weight.add_(randn(weight.shape, generator: generator), 0.2);
        }
        return new CausalLm(config, weights);
    }

    /// <summary>Adapters whose B is random too.</summary>
    public static AdapterBank Adapters(DecoderConfig config, int count, LoraConfig? lora = null)
    {
        var bank = AdapterBank.Create(
            config,
            lora
                ?? new LoraConfig
                {
                    Rank = 3,
                    Alpha = 4,
                    TargetModules = ["q_proj", "v_proj", "down_proj"],
                    Dropout = 0,
                },
            [.. Enumerable.Range(5, count).Select(i => (long)i)]
        );
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        using var generator = new Generator(3, CPU);
        foreach (var pair in bank.Pairs.Values)
        {
            pair.B.copy_(randn(pair.B.shape, generator: generator));
        }

        return bank;
    }

    public static Tensor Ids(int rows, int seq, int seed = 1)
    {
        using var generator = new Generator((ulong)seed, CPU);
        return randint(0, Plain.VocabSize, [rows, seq], dtype: ScalarType.Int64, generator: generator);
    }

    /// <summary>Logits of a plain pass.</summary>
    public static Tensor Logits(CausalLm model, Tensor ids, AdapterRows? adapters = null)
    {
        using var batch = new TokenBatch(ids.clone());
        using var hidden = model.Forward(batch, adapters);
        return model.ComputeLogits(hidden);
    }

    public static void AssertClose(Tensor expected, Tensor actual, double tolerance = 2e-5)
    {
        Assert.Equal(expected.shape, actual.shape);
        var difference = GoldenTensors.Difference(expected, actual);
        Assert.True(difference <= tolerance, $"Tensors differ by {difference:e2}, allowed {tolerance:e1}.");
    }
}
