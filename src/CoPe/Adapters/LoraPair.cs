namespace CoPe.Adapters;

/// <summary>The two factors of one adapted linear layer for one or several adapters: delta W = scaling * B A.</summary>
/// <param name="a">A <c>[adapters, r, in]</c> float32.</param>
/// <param name="b">B <c>[adapters, out, r]</c> float32.</param>
public sealed class LoraPair(Tensor a, Tensor b)
{
    /// <summary>A <c>[adapters, r, in]</c> float32.</summary>
    public Tensor A { get; } = a;

    /// <summary>B <c>[adapters, out, r]</c> float32.</summary>
    public Tensor B { get; } = b;
}
