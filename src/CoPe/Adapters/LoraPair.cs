using CoPe.Kernels.Fused;

namespace CoPe.Adapters;

/// <summary>
/// The two factors of one adapted linear layer for one or several adapters: delta W = scaling * B A.
/// </summary>
/// <param name="a">A <c>[adapters, r, in]</c> float32.</param>
/// <param name="b">B <c>[adapters, out, r]</c> float32.</param>
sealed class LoraPair(Tensor a, Tensor b)
{
    /// <summary>A <c>[adapters, r, in]</c> float32.</summary>
    public Tensor A { get; } = a;

    /// <summary>B <c>[adapters, out, r]</c> float32.</summary>
    public Tensor B { get; } = b;

    /// <summary>Where the decoding kernel finds the factors; null where it does not apply to them.</summary>
    public DecodeLora.Factors? DecodeFactors { get; } = DecodeLora.Factors.TryCreate(a, b);
}
