using CoPe.Kernels;
using static TorchSharp.torch;

namespace CoPe.Adapters;

/// <summary>Dropout on an adapter's inputs while it trains. Each row has a seed and draws a mask per layer from it, whatever other rows are in the pass and however far it is padded.</summary>
/// <param name="bank">The adapters.</param>
/// <param name="rowSeeds">Seed of each row that wears one.</param>
sealed class LoraDropout(AdapterBank bank, long[] rowSeeds)
{
    /// <summary><c>x * mask / (1 - p)</c>, mask of 0 with probability p, for the worn rows x <c>[rows, seq, in]</c>.</summary>
    public Tensor Apply(Tensor x, string layer)
    {
        var ordinal = (ulong)bank.Ordinal(layer);
        ulong[] seeds = [.. rowSeeds.Select(seed => unchecked((ulong)seed * 1_000_003 + ordinal))];
        using var mask = DropoutMask.Make(seeds, (int)x.shape[1], (int)x.shape[2], bank.Config.Dropout, x);
        return x.mul(mask);
    }
}
