using CoPe.Kernels.Torch;
using static TorchSharp.torch;

namespace CoPe.Adapters;

/// <summary>How far training has moved adapters, by what they add to the weights.</summary>
static class AdapterDistance
{
    /// <summary>
    /// The change of each adapter's update of the weights, relative to the update it began with, over all layers:
    /// <code>||B' A' - B A|| / ||B A||</code>
    /// in the Frobenius norm. The products are never formed: with d for a difference, B' A' - B A = B' dA + dB A, and
    /// the norm of a product of thin factors follows from their Gram matrices.
    /// </summary>
    /// <param name="before">The adapters as they were.</param>
    /// <param name="after">The same adapters as they are, in the same order.</param>
    /// <returns>A number for each adapter; null where the update before is zero.</returns>
    /// <exception cref="ArgumentException">The banks do not hold the same number of adapters.</exception>
    public static IReadOnlyList<double?> ComputeRelative(AdapterBank before, AdapterBank after)
    {
        if (before.Count != after.Count)
        {
            throw new ArgumentException($"{before.Count} adapters before and {after.Count} after; expected the same.");
        }
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var change = zeros(before.Count, dtype: ScalarType.Float64);
        var size = zeros(before.Count, dtype: ScalarType.Float64);
        foreach (var layer in before.LayerNames)
        {
            using var layerScope = NewDisposeScope();
            var (a, b) = ToDouble(before.Pairs[layer]);
            var (newA, newB) = ToDouble(after.Pairs[layer]);
            size.add_(ComputeSquaredNorm(b, a), Scalars.One);
            change.add_(ComputeSquaredNorm(cat([newB, newB - b], 2), cat([newA - a, a], 1)), Scalars.One);
        }
        var sizes = size.sqrt().data<double>().ToArray();
        var changes = change.sqrt().data<double>().ToArray();
        return [.. sizes.Zip(changes, (was, moved) => was > 0 ? moved / was : (double?)null)];
    }

    static (Tensor A, Tensor B) ToDouble(LoraPair pair) =>
        (pair.A.cpu().to(ScalarType.Float64), pair.B.cpu().to(ScalarType.Float64));

    /// <summary>
    /// <code>||B A||^2 = sum((B^T B) * (A A^T))</code>, not below 0, of each adapter <c>[adapters]</c> float64.
    /// </summary>
    static Tensor ComputeSquaredNorm(Tensor b, Tensor a)
    {
        var gramOfB = b.transpose(1, 2).matmul(b); // [adapters, r, r]
        var gramOfA = a.matmul(a.transpose(1, 2)); // [adapters, r, r]
        return (gramOfB * gramOfA).sum([1L, 2L]).relu();
    }
}
