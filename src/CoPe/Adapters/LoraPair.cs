using CoPe.Kernels;

namespace CoPe.Adapters;

/// <summary>The two factors of one adapted linear layer for one or several adapters: delta W = scaling * B A.</summary>
/// <param name="a">A <c>[adapters, r, in]</c> float32.</param>
/// <param name="b">B <c>[adapters, out, r]</c> float32.</param>
public sealed class LoraPair(Tensor a, Tensor b)
{
    readonly StepAdapters.Factors? inPlace = StepAdapters.Factors.Of(a, b);

    /// <summary>A <c>[adapters, r, in]</c> float32.</summary>
    public Tensor A { get; } = a;

    /// <summary>B <c>[adapters, out, r]</c> float32.</summary>
    public Tensor B { get; } = b;

    /// <summary>Where a kernel finds the factors; null where they are not of its kind.</summary>
    internal StepAdapters.Factors? InPlace => inPlace;
}
