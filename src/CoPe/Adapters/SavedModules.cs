using CoPe.Modeling;
using static TorchSharp.torch;

namespace CoPe.Adapters;

/// <summary>
/// Embeddings and heads that adapters have in place of the model's (PEFT's <c>modules_to_save</c>), each
/// <c>[adapters, vocab, hidden]</c> float32; where they are tied, both are one tensor. Owns its tensors.
/// </summary>
sealed class SavedModules : IDisposable
{
    readonly Dictionary<(string Layer, int Adapter), Tensor> _converted = [];
    (int Version, ScalarType Dtype) _convertedAs;

    SavedModules(Tensor? embedding, Tensor? head, bool areTied) =>
        (Embedding, Head, AreTied) = (embedding, head, areTied);

    /// <summary>The embeddings; null for none.</summary>
    public Tensor? Embedding { get; }

    /// <summary>The heads; null for none.</summary>
    public Tensor? Head { get; }

    /// <summary>Embedding and head are one.</summary>
    public bool AreTied { get; }

    /// <summary>Layers that are replaced, in model order.</summary>
    public IEnumerable<string> LayerNames
    {
        get
        {
            if (Embedding is not null)
            {
                yield return WeightLayout.EmbeddingLayer;
            }

            if (Head is not null)
            {
                yield return WeightLayout.HeadLayer;
            }
        }
    }

    /// <summary>The tensors, each once.</summary>
    public IEnumerable<Tensor> Parameters => new[] { Embedding, AreTied ? null : Head }.OfType<Tensor>();

    /// <summary>What <paramref name="create"/> makes of each layer that is replaced; null where none is.</summary>
    public static SavedModules? Create(IReadOnlyCollection<string> layers, bool areTied, Func<string, Tensor> create)
    {
        if (layers.Count == 0)
        {
            return null;
        }

        var embedding = layers.Contains(WeightLayout.EmbeddingLayer) ? create(WeightLayout.EmbeddingLayer) : null;
        var head = areTied ? embedding : null;
        head ??= layers.Contains(WeightLayout.HeadLayer) ? create(WeightLayout.HeadLayer) : null;
        return new SavedModules(embedding, head, areTied);
    }

    /// <summary>The weights of a layer, or null where it is not replaced.</summary>
    public Tensor? Find(string layer) =>
        layer switch
        {
            WeightLayout.EmbeddingLayer => Embedding,
            WeightLayout.HeadLayer => Head,
            _ => null,
        };

    /// <summary>The same layers with other tensors.</summary>
    public SavedModules Map(Func<Tensor, Tensor> map) => Create([.. LayerNames], AreTied, layer => map(Find(layer)!))!;

    /// <summary>Whether another bank's adapters replace the same layers in the same way.</summary>
    public static bool HaveSameShape(SavedModules? one, SavedModules? other) =>
        one is null || other is null
            ? one is null && other is null
            : one.AreTied == other.AreTied && one.LayerNames.SequenceEqual(other.LayerNames);

    /// <summary>
    /// The weight <c>[vocab, hidden]</c> of one adapter in a number type. It belongs to the dispose scope in force or,
    /// where no gradient is needed, is kept by this until the weights change.
    /// </summary>
    /// <param name="layer">A layer that is replaced.</param>
    /// <param name="adapter">Which adapter.</param>
    /// <param name="dtype">Number type of the pass.</param>
    /// <param name="version">Counts up with every change of the weights.</param>
    public Tensor GetWeight(string layer, int adapter, ScalarType dtype, int version)
    {
        var weights = Find(layer)!;
        if (weights.requires_grad || is_grad_enabled() || dtype == weights.dtype)
        {
            return weights.select(0, adapter).to(dtype);
        }

        lock (_converted)
        {
            if (_convertedAs != (version, dtype))
            {
                ClearConverted();
                _convertedAs = (version, dtype);
            }

            if (!_converted.TryGetValue((layer, adapter), out var weight))
            {
                using var one = weights.select(0, adapter);
                weight = one.to(dtype).DetachFromDisposeScope();
                _converted[(layer, adapter)] = weight;
            }

            return weight.alias();
        }
    }

    void ClearConverted()
    {
        foreach (var weight in _converted.Values)
        {
            weight.Dispose();
        }

        _converted.Clear();
    }

    public void Dispose()
    {
        ClearConverted();
        foreach (var weights in Parameters)
        {
            weights.Dispose();
        }
    }
}
