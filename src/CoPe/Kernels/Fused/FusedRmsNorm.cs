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
    /// contiguous, and the weight frozen.
    /// </summary>
    public static bool Supports(Tensor x, Tensor weight) =>
        TensorMemory.IsContiguousBf16(x)
        && TensorMemory.IsContiguousBf16(weight)
        && !(is_grad_enabled() && weight.requires_grad);

    /// <summary>
    /// <c>x / sqrt(mean(x^2) + epsilon) * weight</c>, or <c>* (1 + weight)</c>, bf16 of the shape of x, owned by the
    /// caller; rounded where torch's operations round. Autograd works through it to x.
    /// </summary>
    public static Tensor Apply(Tensor x, Tensor weight, double epsilon, bool addOne) =>
        is_grad_enabled() && x.requires_grad
            ? RmsNormFunction.Apply(x, weight, new(epsilon, addOne))
            : ApplyUntracked(x, weight, new(epsilon, addOne));

    /// <summary>How rows are normed.</summary>
    /// <param name="Epsilon">Added to the mean square.</param>
    /// <param name="AddOne">Whether a weight of 0 leaves a number as it is, instead of 1.</param>
    internal readonly record struct Options(double Epsilon, bool AddOne);

    internal static Tensor ApplyUntracked(Tensor x, Tensor weight, Options options)
    {
        var y = empty(x.shape, dtype: ScalarType.BFloat16);
        var width = (int)x.shape[^1];
        ushort* from = (ushort*)TensorMemory.GetPointer(x),
            scale = (ushort*)TensorMemory.GetPointer(weight),
            to = (ushort*)TensorMemory.GetPointer(y);
        RunOverRows((int)(x.numel() / width), width, at => NormalizeRow(from + at, scale, to + at, width, options));
        GC.KeepAlive(x);
        GC.KeepAlive(weight);
        return y;
    }

    /// <summary>Runs the body for the offset of each row, a few rows at a time.</summary>
    static void RunOverRows(int rows, int width, Action<long> body)
    {
        var rowsPerChunk = Math.Max(1, ElementsPerChunk / width);
        WorkerTeam.Run(
            TorchThreads.KernelThreadCount,
            (rows + rowsPerChunk - 1) / rowsPerChunk,
            chunk =>
            {
                var end = Math.Min(rows, (chunk + 1) * rowsPerChunk);
                for (var row = chunk * rowsPerChunk; row < end; row++)
                {
                    body((long)row * width);
                }
            }
        );
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void NormalizeRow(ushort* x, ushort* weight, ushort* y, int width, Options options)
    {
        var addOne = options.AddOne;
        var inverseRoot = ComputeInverseRoot(x, width, options);
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

    /// <summary>
    /// <code>dL/dx_i = r (w_i g_i - x_i r^2 mean_j(w_j g_j x_j)), r = 1 / sqrt(mean(x^2) + epsilon)</code>
    /// for g the gradient of the result, of the shape of x and the caller's.
    /// </summary>
    internal static Tensor ComputeGradient(Tensor x, Tensor weight, Tensor gradient, Options options)
    {
        var result = empty(x.shape, dtype: ScalarType.BFloat16);
        var width = (int)x.shape[^1];
        ushort* from = (ushort*)TensorMemory.GetPointer(x),
            scale = (ushort*)TensorMemory.GetPointer(weight),
            given = (ushort*)TensorMemory.GetPointer(gradient),
            to = (ushort*)TensorMemory.GetPointer(result);
        RunOverRows(
            (int)(x.numel() / width),
            width,
            at => WriteGradient(from + at, scale, given + at, to + at, width, options)
        );
        GC.KeepAlive(x);
        GC.KeepAlive(weight);
        GC.KeepAlive(gradient);
        return result;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void WriteGradient(ushort* x, ushort* weight, ushort* gradient, ushort* to, int width, Options options)
    {
        var inverseRoot = ComputeInverseRoot(x, width, options);
        var one = options.AddOne ? 1f : 0f;
        var sum = Vector256<float>.Zero;
        var i = 0;
        for (; i + 8 <= width; i += 8)
        {
            var scaled = (Bf16.Widen(weight + i) + Vector256.Create(one)) * Bf16.Widen(gradient + i);
            sum = Vector256.FusedMultiplyAdd(scaled, Bf16.Widen(x + i), sum);
        }

        var total = Vector256.Sum(sum);
        for (; i < width; i++)
        {
            total += (Bf16.ToSingle(weight[i]) + one) * Bf16.ToSingle(gradient[i]) * Bf16.ToSingle(x[i]);
        }

        var share = inverseRoot * inverseRoot * total / width;
        for (i = 0; i + 8 <= width; i += 8)
        {
            var scaled = (Bf16.Widen(weight + i) + Vector256.Create(one)) * Bf16.Widen(gradient + i);
            Bf16.Store((scaled - Bf16.Widen(x + i) * share) * inverseRoot, to + i);
        }

        for (; i < width; i++)
        {
            var scaled = (Bf16.ToSingle(weight[i]) + one) * Bf16.ToSingle(gradient[i]);
            to[i] = Bf16.FromSingle((scaled - Bf16.ToSingle(x[i]) * share) * inverseRoot);
        }
    }

    static float ComputeInverseRoot(ushort* x, int width, Options options) =>
        1 / MathF.Sqrt(SumOfSquares(x, width) / width + (float)options.Epsilon);

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

/// <summary><see cref="FusedRmsNorm"/> for autograd.</summary>
sealed class RmsNormFunction : autograd.SingleTensorFunction<RmsNormFunction>
{
    public override string Name => nameof(RmsNormFunction);

    /// <summary>The norm of x; autograd works through it to x.</summary>
    public static Tensor Apply(Tensor x, Tensor weight, FusedRmsNorm.Options options) => apply(x, weight, options);

    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var (x, weight, options) = ((Tensor)vars[0], (Tensor)vars[1], (FusedRmsNorm.Options)vars[2]);
        ctx.save_for_backward([x, weight]);
        ctx.save_data("options", options);
        return FusedRmsNorm.ApplyUntracked(x, weight, options);
    }

    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        ReturnedGradients.ReleaseLast();
        using var given = grad_output;
        using var gradient = given.contiguous();
        var saved = ctx.get_saved_variables();
        var options = (FusedRmsNorm.Options)ctx.get_data("options");
        return ReturnedGradients.Return(
            FusedRmsNorm.ComputeGradient(saved[0], saved[1], gradient, options),
            null,
            null
        );
    }
}
