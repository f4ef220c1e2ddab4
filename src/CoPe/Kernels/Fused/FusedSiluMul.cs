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
    /// Whether the kernel applies to tensors of one shape <c>[..., width]</c>: bf16 on the processor, contiguous.
    /// </summary>
    public static bool Supports(Tensor opened, Tensor value) =>
        TensorMemory.IsContiguousBf16(opened) && TensorMemory.IsContiguousBf16(value);

    /// <summary>
    /// <c>silu(opened) * value</c> with <c>silu(x) = x / (1 + e^-x)</c> (Elfwing et al., 2017, arXiv 1702.03118), bf16,
    /// owned by the caller; rounded where torch's operations round. Autograd works through it to both.
    /// </summary>
    public static Tensor Apply(Tensor opened, Tensor value) =>
        is_grad_enabled() && (opened.requires_grad || value.requires_grad)
            ? SiluMulFunction.Apply(opened, value)
            : ApplyUntracked(opened, value);

    internal static Tensor ApplyUntracked(Tensor opened, Tensor value)
    {
        var y = empty(opened.shape, dtype: ScalarType.BFloat16);
        ushort* gate = (ushort*)TensorMemory.GetPointer(opened),
            up = (ushort*)TensorMemory.GetPointer(value),
            to = (ushort*)TensorMemory.GetPointer(y);
        RunOverChunks(opened.numel(), (from, length) => ApplyToRange(gate + from, up + from, to + from, length));
        GC.KeepAlive(opened);
        GC.KeepAlive(value);
        return y;
    }

    /// <summary>
    /// <code>
    /// dL/dopened = g value s (1 + opened (1 - s)), dL/dvalue = g opened s, s = 1 / (1 + e^-opened)
    /// </code>
    /// for g the gradient of the result; both of its shape and the caller's.
    /// </summary>
    internal static (Tensor Opened, Tensor Value) ComputeGradients(Tensor opened, Tensor value, Tensor gradient)
    {
        var results = (
            empty(opened.shape, dtype: ScalarType.BFloat16),
            empty(opened.shape, dtype: ScalarType.BFloat16)
        );
        ushort* gate = (ushort*)TensorMemory.GetPointer(opened),
            up = (ushort*)TensorMemory.GetPointer(value),
            given = (ushort*)TensorMemory.GetPointer(gradient),
            toGate = (ushort*)TensorMemory.GetPointer(results.Item1),
            toUp = (ushort*)TensorMemory.GetPointer(results.Item2);
        RunOverChunks(
            opened.numel(),
            (from, length) =>
            {
                var i = from;
                for (; i + 8 <= from + length; i += 8)
                {
                    WriteGradients(gate + i, up + i, given + i, toGate + i, toUp + i);
                }

                WriteLastGradients(gate + i, up + i, given + i, toGate + i, toUp + i, (int)(from + length - i));
            }
        );
        GC.KeepAlive(opened);
        GC.KeepAlive(value);
        GC.KeepAlive(gradient);
        return results;
    }

    /// <summary>Of fewer than eight numbers, in registers of their own.</summary>
    static void WriteLastGradients(ushort* gate, ushort* up, ushort* given, ushort* toGate, ushort* toUp, int count)
    {
        if (count == 0)
        {
            return;
        }

        const int width = 8;
        var numbers = stackalloc ushort[5 * width];
        new Span<ushort>(numbers, 5 * width).Clear();
        Copy(gate, numbers, count);
        Copy(up, numbers + width, count);
        Copy(given, numbers + 2 * width, count);
        WriteGradients(numbers, numbers + width, numbers + 2 * width, numbers + 3 * width, numbers + 4 * width);
        Copy(numbers + 3 * width, toGate, count);
        Copy(numbers + 4 * width, toUp, count);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void WriteGradients(ushort* gate, ushort* up, ushort* given, ushort* toGate, ushort* toUp)
    {
        Vector256<float> x = Bf16.Widen(gate),
            g = Bf16.Widen(given),
            one = Vector256<float>.One;
        var sigmoid = one / (one + FastExp<FloatVector256>.Compute(new(-x)).Value);
        Bf16.Store(g * Bf16.Widen(up) * sigmoid * (one + x * (one - sigmoid)), toGate);
        Bf16.Store(g * x * sigmoid, toUp);
    }

    static void RunOverChunks(long count, Action<long, int> body) =>
        WorkerTeam.Run(
            TorchThreads.KernelThreadCount,
            checked((int)((count + ChunkSize - 1) / ChunkSize)),
            chunk => body((long)chunk * ChunkSize, (int)Math.Min(ChunkSize, count - (long)chunk * ChunkSize))
        );

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

/// <summary><see cref="FusedSiluMul"/> for autograd.</summary>
sealed class SiluMulFunction : autograd.SingleTensorFunction<SiluMulFunction>
{
    public override string Name => nameof(SiluMulFunction);

    /// <summary>The gated values; autograd works through them to both.</summary>
    public static Tensor Apply(Tensor opened, Tensor value) => apply(opened, value);

    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var (opened, value) = ((Tensor)vars[0], (Tensor)vars[1]);
        ctx.save_for_backward([opened, value]);
        return FusedSiluMul.ApplyUntracked(opened, value);
    }

    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        ReturnedGradients.ReleaseLast();
        using var given = grad_output;
        using var gradient = given.contiguous();
        var saved = ctx.get_saved_variables();
        var (opened, value) = FusedSiluMul.ComputeGradients(saved[0], saved[1], gradient);
        return ReturnedGradients.Return(opened, value);
    }
}
