using CoPe.Kernels.Torch;
using CoPe.Modeling;
using static TorchSharp.torch;

namespace CoPe.Adapters;

/// <summary>Adapters before any training, as PEFT initializes them.</summary>
static class NewAdapters
{
    /// <summary>A bank of new adapters, of which number i draws from seeds[i] alone; the caller's.</summary>
    /// <param name="model">The model to adapt.</param>
    /// <param name="config">Shape of the adapters.</param>
    /// <param name="seeds">A seed for each adapter.</param>
    /// <param name="createSaved">What an adapter's modules to save begin as; null where there are none.</param>
    /// <exception cref="ArgumentException">
    /// The shape is invalid, names no layer of the model, or there is no seed.
    /// </exception>
    public static AdapterBank Create(
        DecoderConfig model,
        LoraConfig config,
        IReadOnlyList<long> seeds,
        Func<SavedModules?>? createSaved
    )
    {
        ArgumentOutOfRangeException.ThrowIfZero(seeds.Count);
        config.CheckFits(model);
        config.RequireInvocationTokens();
        var layers = LoraTargets.Select(model, config.TargetModules);
        var singles = new List<AdapterBank>();
        try
        {
            foreach (var seed in seeds)
            {
                singles.Add(CreateOne(layers, config, seed, createSaved ?? (() => null)));
            }

            return AdapterBank.Stack(singles);
        }
        finally
        {
            singles.ForEach(single => single.Dispose());
        }
    }

    /// <summary>Copies of the model's embedding and head, or of those of the adapter below.</summary>
    public static SavedModules? CopyModules(CausalLm model, LoraConfig config, AdapterBank? below)
    {
        var areTied = config.EnsureWeightTying;
        return SavedModules.Create(
            areTied ? [WeightLayout.EmbeddingLayer, WeightLayout.HeadLayer] : config.SavedLayers,
            areTied,
            Copy
        );

        Tensor Copy(string layer)
        {
            using var scope = NewDisposeScope();
            using var noGrad = no_grad();
            var weight = below?.Saved?.Find(layer)?[0] ?? FindWeight(model, layer);
            return weight.unsqueeze(0).to(ScalarType.Float32, copy: true).cpu().MoveToOuterDisposeScope();
        }
    }

    static Tensor FindWeight(CausalLm model, string layer)
    {
        var isHead = layer == WeightLayout.HeadLayer && !model.Config.TiedHead;
        return model.Weights[isHead ? WeightLayout.Head : WeightLayout.Embedding];
    }

    static AdapterBank CreateOne(
        IReadOnlyList<LinearLayer> layers,
        LoraConfig config,
        long seed,
        Func<SavedModules?> createSaved
    )
    {
        using var generator = new Generator(unchecked((ulong)seed), CPU);
        var byName = layers.ToDictionary(layer => layer.Name, StringComparer.Ordinal);
        return AdapterBank.Build(
            [config],
            [.. layers.Select(layer => layer.Name)],
            name => Initialize(byName[name]),
            createSaved
        );

        LoraPair Initialize(LinearLayer layer)
        {
            var bound = 1 / Math.Sqrt(layer.Inputs);
            var rank = config.GetRank(layer.Name);
            if (layer.Name == WeightLayout.EmbeddingLayer)
            {
                var none = zeros([1, rank, layer.Inputs], dtype: ScalarType.Float32);
                return new LoraPair(
                    none,
                    randn([1, layer.Outputs, rank], dtype: ScalarType.Float32, generator: generator)
                );
            }

            var uniform = rand([1, rank, layer.Inputs], dtype: ScalarType.Float32, generator: generator);
            var a = uniform.mul_(Scalars.Of(2 * bound)).sub_(Scalars.Of(bound));
            var b = zeros([1, layer.Outputs, rank], dtype: ScalarType.Float32);
            return new LoraPair(a, b);
        }
    }
}
