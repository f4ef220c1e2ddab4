using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using CoPe.Kernels.Threads;
using CoPe.Kernels.Torch;
using static TorchSharp.torch;

namespace CoPe.Kernels.Fused;

/// <summary>The gate of the feed-forward block in one pass over memory.</summary>
static unsafe class FusedSiluMul
{
    const int ChunkSize = 2048;

    /// <summary>
    /// Whether the kernel applies to tensors of one shape <c>[..., width]</c>: bf16 on the processor, contiguous, and
    /// autograd off.
    /// </summary>
    public static bool Supports(Tensor opened, Tensor value) =>
        TensorMemory.IsContiguousBf16(opened) && TensorMemory.IsContiguousBf16(value) && !is_grad_enabled();

    /// <summary>
    /// <c>silu(opened) * value</c> with <c>silu(x) = x / (1 + e^-x)</c> (Elfwing et al., 2017, arXiv 1702.03118), bf16,
    /// owned by the caller; rounded where torch's operations round.
    /// </summary>
    public static Tensor Apply(Tensor opened, Tensor value)
    {
        var y = empty(opened.shape, dtype: ScalarType.BFloat16);
        ushort* gate = (ushort*)TensorMemory.GetPointer(opened),
            up = (ushort*)TensorMemory.GetPointer(value),
            to = (ushort*)TensorMemory.GetPointer(y);
        var count = opened.numel();
        WorkerTeam.Run(
            TorchThreads.KernelThreadCount,
            checked((int)((count + ChunkSize - 1) / ChunkSize)),
            chunk =>
            {
                var from = (long)chunk * ChunkSize;
                ApplyToRange(gate + from, up + from, to + from, (int)Math.Min(ChunkSize, count - from));
            }
        );
        GC.KeepAlive(opened);
        GC.KeepAlive(value);
        return y;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void ApplyToRange(ushort* gate, ushort* up, ushort* y, int count)
    {
        var i = 0;
        for (; i + 8 <= count; i += 8)
        {
            ApplyToEight(gate + i, up + i, y + i);
        }

        if (i == count)
        {
            return;
        }
        // The last few in a register of their own: a number comes out the same wherever in the tensor it stands.
        ushort* opened = stackalloc ushort[8],
            value = stackalloc ushort[8],
            gated = stackalloc ushort[8];
        Copy(gate + i, opened, count - i);
        Copy(up + i, value, count - i);
        ApplyToEight(opened, value, gated);
        Copy(gated, y + i, count - i);
    }

    static void Copy(ushort* from, ushort* to, int count) =>
        new ReadOnlySpan<ushort>(from, count).CopyTo(new(to, count));

    static void ApplyToEight(ushort* gate, ushort* up, ushort* y)
    {
        var x = Bf16.Widen(gate);
        var opened = Bf16.Round(x / (Vector256<float>.One + FastExp<FloatVector256>.Compute(new(-x)).Value));
        Bf16.Store(opened * Bf16.Widen(up), y);
    }
}
