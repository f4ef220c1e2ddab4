using CoPe.Kernels;
using CoPe.Modeling;
using static TorchSharp.torch;

namespace CoPe.Adapters;

/// <summary>Merging an adapter into base weights.</summary>
public static class AdapterMerge
{
    /// <summary>
    /// Merged copies of the adapted weights alone, <code>W + scaling * B A</code>, rounded to the dtype of W, by weight name (<c>model.layers.0.self_attn.q_proj.weight</c>).
    /// The caller owns them.
    /// </summary>
    public static IReadOnlyDictionary<string, Tensor> Merge(ModelWeights weights, AdapterBank bank, int index = 0)
    {
        bank.CheckIndex(index);
        using var noGrad = no_grad();
        return bank.LayerNames.ToDictionary(name => $"{name}.weight", name =>
        {
            using var scope = NewDisposeScope();
            var weight = weights[$"{name}.weight"];
            return weight.to(ScalarType.Float32).add(Delta(bank, name, index), Scalars.One).to(weight.dtype).DetachFromDisposeScope();
        }, StringComparer.Ordinal);
    }

    /// <summary><c>scaling * B A</c> of one layer, <c>[out, in]</c> float32, the caller's.</summary>
    internal static Tensor Delta(AdapterBank bank, string layer, int index)
    {
        using var scope = NewDisposeScope();
        return bank.Pairs[layer].B[index].matmul(bank.Pairs[layer].A[index]).mul(Scalars.Of(bank.Config.Scaling)).MoveToOuterDisposeScope();
    }

    /// <summary>Replaces the adapted weights by merged copies, which the weights then own; the others stay mapped.</summary>
    public static void MergeInto(ModelWeights weights, AdapterBank bank, int index = 0) => weights.Replace(Merge(weights, bank, index));
}
