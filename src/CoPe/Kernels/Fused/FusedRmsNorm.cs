using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using CoPe.Kernels.Threads;
using CoPe.Kernels.Torch;
using static TorchSharp.torch;

namespace CoPe.Kernels.Fused;

/// <summary>
/// The root-mean-square norm of bf16 rows in one pass: for a decoding step torch's seven operations cost more than
/// their arithmetic, for a prompt they read and write seven times as much.
/// </summary>
static unsafe class FusedRmsNorm
{
    const int ElementsPerChunk = 4096;

    /// <summary>
    /// Whether the kernel applies to x <c>[..., width]</c> and the weight <c>[width]</c>: bf16 on the processor,
    /// contiguous, and autograd off.
    /// </summary>
    public static bool Supports(Tensor x, Tensor weight) =>
        TensorMemory.IsContiguousBf16(x)
        && TensorMemory.IsContiguousBf16(weight)
        && !(is_grad_enabled() && (x.requires_grad || weight.requires_grad));

    /// <summary>
    /// <c>x / sqrt(mean(x^2) + epsilon) * weight</c>, or <c>* (1 + weight)</c>, bf16 of the shape of x, owned by the
    /// caller; rounded where torch's operations round.
    /// </summary>
    public static Tensor Apply(Tensor x, Tensor weight, double epsilon, bool addOne)
    {
        var y = empty(x.shape, dtype: ScalarType.BFloat16);
        var width = (int)x.shape[^1];
        ushort* from = (ushort*)TensorMemory.GetPointer(x),
            scale = (ushort*)TensorMemory.GetPointer(weight),
            to = (ushort*)TensorMemory.GetPointer(y);
        var rows = (int)(x.numel() / width);
        var rowsPerChunk = Math.Max(1, ElementsPerChunk / width);
        WorkerTeam.Run(
            TorchThreads.KernelThreadCount,
            (rows + rowsPerChunk - 1) / rowsPerChunk,
            chunk =>
            {
                var end = Math.Min(rows, (chunk + 1) * rowsPerChunk);
                for (long row = chunk * rowsPerChunk; row < end; row++)
                {
                    NormalizeRow(from + row * width, scale, to + row * width, width, (float)epsilon, addOne);
                }
            }
        );
        GC.KeepAlive(x);
        GC.KeepAlive(weight);
        return y;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void NormalizeRow(ushort* x, ushort* weight, ushort* y, int width, float epsilon, bool addOne)
    {
        var inverseRoot = 1 / MathF.Sqrt(SumOfSquares(x, width) / width + epsilon);
        var i = 0;
        for (; i + 8 <= width; i += 8)
        {
            Vector256<float> normed = Bf16.Widen(x + i) * inverseRoot,
                scale = Bf16.Widen(weight + i);
            // Gemma multiplies before it rounds, the others after.
            Bf16.Store(addOne ? normed * (scale + Vector256<float>.One) : Bf16.Round(normed) * scale, y + i);
        }
        for (; i < width; i++)
        {
            var (normed, scale) = (Bf16.ToSingle(x[i]) * inverseRoot, Bf16.ToSingle(weight[i]));
            y[i] = Bf16.FromSingle(addOne ? normed * (1 + scale) : Bf16.ToSingle(Bf16.FromSingle(normed)) * scale);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static float SumOfSquares(ushort* x, int width)
    {
        var sum = Vector256<float>.Zero;
        var i = 0;
        for (; i + 8 <= width; i += 8)
        {
            var wide = Bf16.Widen(x + i);
            sum = Vector256.FusedMultiplyAdd(wide, wide, sum);
        }
        var total = Vector256.Sum(sum);
        for (; i < width; i++)
        {
            total += Bf16.ToSingle(x[i]) * Bf16.ToSingle(x[i]);
        }

        return total;
    }
}
