using System.Runtime.Intrinsics;
using static TorchSharp.torch;

namespace CoPe.Kernels;

/// <summary>The gate of the feed-forward block in one walk.</summary>
static unsafe class FusedGate
{
    const int Piece = 2048;

    /// <summary>Whether the two, alike <c>[..., width]</c>, are of the kind: bf16 on the processor, contiguous, and nothing for autograd to remember.</summary>
    public static bool Applies(Tensor opened, Tensor value) => TensorMemory.IsPlain(opened) && TensorMemory.IsPlain(value) && !is_grad_enabled();

    /// <summary><c>silu(opened) * value</c> with <c>silu(x) = x / (1 + e^-x)</c> (Elfwing et al., 2017, arXiv 1702.03118), bf16, owned by the caller; rounded where torch's operations round.</summary>
    public static Tensor Silu(Tensor opened, Tensor value)
    {
        var y = empty(opened.shape, dtype: ScalarType.BFloat16);
        ushort* gate = (ushort*)TensorMemory.Of(opened), up = (ushort*)TensorMemory.Of(value), to = (ushort*)TensorMemory.Of(y);
        var count = (int)opened.numel();
        KernelTeam.Run(TorchThreads.OfKernels, (count + Piece - 1) / Piece, piece => Walk(gate, up, to, piece * Piece, Math.Min(count, (piece + 1) * Piece)));
        GC.KeepAlive(opened);
        GC.KeepAlive(value);
        return y;
    }

    static void Walk(ushort* gate, ushort* up, ushort* y, int from, int to)
    {
        var i = from;
        for (; i + 8 <= to; i += 8)
        {
            var x = Bf16.Widen(gate + i);
            var opened = Bf16.Rounded(x / (Vector256<float>.One + Exponential<Lanes256>.Of(new(-x)).Value));
            Bf16.Store(opened * Bf16.Widen(up + i), y + i);
        }
        for (; i < to; i++)
        {
            var x = Bf16.ToSingle(gate[i]);
            y[i] = Bf16.FromSingle(Bf16.ToSingle(Bf16.FromSingle(x / (1 + MathF.Exp(-x)))) * Bf16.ToSingle(up[i]));
        }
    }
}
