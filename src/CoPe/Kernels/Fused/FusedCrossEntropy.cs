using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using CoPe.Kernels.Threads;
using CoPe.Kernels.Torch;
using static TorchSharp.torch;

namespace CoPe.Kernels.Fused;

/// <summary>
/// Negative log-likelihoods of labels under bf16 logits, read once, and their gradient, written once: a vocabulary of
/// 150,000 tokens makes what torch's operations write in float32 larger than all else that a training step keeps.
/// </summary>
static unsafe class FusedCrossEntropy
{
    const int Lanes = 8;

    /// <summary>
    /// Registers that are summed side by side. Their width is fixed, so that every processor takes the same sums.
    /// </summary>
    const int Parts = 4;

    /// <summary>Whether the kernel applies to logits: bf16 on the processor, contiguous.</summary>
    public static bool Supports(Tensor logits) => TensorMemory.IsContiguousBf16(logits);

    /// <summary>
    /// <code>nll_t = log sum_v exp(logits_t[v]) - logits_t[label_t]</code>
    /// <c>[labels]</c> float32, the caller's; autograd works through it to the logits.
    /// </summary>
    /// <param name="logits"><c>[labels, vocab]</c>.</param>
    /// <param name="labels"><c>[labels]</c> int64.</param>
    /// <exception cref="ArgumentOutOfRangeException">A label is not in the vocabulary.</exception>
    public static Tensor Apply(Tensor logits, Tensor labels)
    {
        if (is_grad_enabled() && logits.requires_grad)
        {
            return CrossEntropyFunction.Apply(logits, labels);
        }

        using var scope = NewDisposeScope();
        var logSums = ComputeLogSums(logits);
        return Subtract(logSums, logits, labels).MoveToOuterDisposeScope();
    }

    /// <summary><c>log sum_v exp(logits_t[v])</c>, <c>[labels]</c> float32, the caller's.</summary>
    internal static Tensor ComputeLogSums(Tensor logits)
    {
        var (rows, vocab) = ((int)logits.shape[0], (int)logits.shape[1]);
        var sums = empty(rows, dtype: ScalarType.Float32);
        var from = (ushort*)TensorMemory.GetPointer(logits);
        var to = (float*)TensorMemory.GetPointer(sums);
        WorkerTeam.Run(
            TorchThreads.KernelThreadCount,
            rows,
            row => to[row] = ComputeLogSum(from + (long)row * vocab, vocab)
        );
        GC.KeepAlive(logits);
        return sums;
    }

    /// <summary><c>logSums_t - logits_t[label_t]</c>, the caller's.</summary>
    internal static Tensor Subtract(Tensor logSums, Tensor logits, Tensor labels)
    {
        using var scope = NewDisposeScope();
        CheckLabels(labels, logits.shape[1]);
        var ofLabels = logits.gather(1, labels.unsqueeze(1)).squeeze(1).to(ScalarType.Float32);
        return logSums.sub(ofLabels).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// <code>dL/dlogits_t[v] = dL/dnll_t * (exp(logits_t[v] - logSums_t) - (v = label_t))</code>
    /// <c>[labels, vocab]</c> bf16, the caller's.
    /// </summary>
    internal static Tensor ComputeGradient(Tensor logits, Tensor labels, Tensor logSums, Tensor gradient)
    {
        var (rows, vocab) = ((int)logits.shape[0], (int)logits.shape[1]);
        var result = empty(logits.shape, dtype: ScalarType.BFloat16);
        using var weights = gradient.to(ScalarType.Float32).contiguous();
        ushort* from = (ushort*)TensorMemory.GetPointer(logits),
            to = (ushort*)TensorMemory.GetPointer(result);
        float* sums = (float*)TensorMemory.GetPointer(logSums),
            weight = (float*)TensorMemory.GetPointer(weights);
        var label = (long*)TensorMemory.GetPointer(labels);
        WorkerTeam.Run(
            TorchThreads.KernelThreadCount,
            rows,
            row =>
            {
                var offset = (long)row * vocab;
                WriteGradient(from + offset, to + offset, vocab, sums[row], weight[row]);
                var ofLabel = MathF.Exp(Bf16.ToSingle(from[offset + label[row]]) - sums[row]);
                to[offset + label[row]] = Bf16.FromSingle(weight[row] * (ofLabel - 1));
            }
        );
        GC.KeepAlive(logits);
        GC.KeepAlive(labels);
        GC.KeepAlive(logSums);
        return result;
    }

    static void CheckLabels(Tensor labels, long vocab)
    {
        if (labels.numel() == 0)
        {
            return;
        }

        using var least = labels.min();
        using var most = labels.max();
        if (least.item<long>() < 0 || most.item<long>() >= vocab)
        {
            throw new ArgumentOutOfRangeException(
                nameof(labels),
                $"Labels go from {least.item<long>()} to {most.item<long>()}; expected ids of a vocabulary of {vocab}."
            );
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static float ComputeLogSum(ushort* logits, int count)
    {
        var greatest = FindGreatest(logits, count);
        var shift = Vector256.Create(greatest);
        var sums = stackalloc Vector256<float>[Parts];
        new Span<Vector256<float>>(sums, Parts).Clear();
        var i = 0;
        for (; i + Parts * Lanes <= count; i += Parts * Lanes)
        {
            for (var part = 0; part < Parts; part++)
            {
                sums[part] += Exp(Bf16.Widen(logits + i + part * Lanes) - shift);
            }
        }

        var sum = Vector256.Sum((sums[0] + sums[1]) + (sums[2] + sums[3]));
        for (; i < count; i++)
        {
            sum += MathF.Exp(Bf16.ToSingle(logits[i]) - greatest);
        }

        return greatest + MathF.Log(sum);
    }

    /// <summary>The greatest of numbers that are no NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static float FindGreatest(ushort* numbers, int count)
    {
        var lanes = Vector256.Create(float.NegativeInfinity);
        var i = 0;
        for (; i + Lanes <= count; i += Lanes)
        {
            lanes = Vector256.MaxNumber(lanes, Bf16.Widen(numbers + i));
        }

        var greatest = float.NegativeInfinity;
        for (var lane = 0; lane < Lanes; lane++)
        {
            greatest = MathF.Max(greatest, lanes[lane]);
        }

        for (; i < count; i++)
        {
            greatest = float.MaxNumber(greatest, Bf16.ToSingle(numbers[i]));
        }

        return greatest;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void WriteGradient(ushort* logits, ushort* to, int count, float logSum, float weight)
    {
        var (shift, scale) = (Vector256.Create(logSum), Vector256.Create(weight));
        var i = 0;
        for (; i + Lanes <= count; i += Lanes)
        {
            Bf16.Store(Exp(Bf16.Widen(logits + i) - shift) * scale, to + i);
        }

        for (; i < count; i++)
        {
            to[i] = Bf16.FromSingle(MathF.Exp(Bf16.ToSingle(logits[i]) - logSum) * weight);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector256<float> Exp(Vector256<float> x) => FastExp<FloatVector256>.Compute(new(x)).Value;
}

/// <summary><see cref="FusedCrossEntropy"/> for autograd, which keeps the logits in bf16.</summary>
sealed class CrossEntropyFunction : autograd.SingleTensorFunction<CrossEntropyFunction>
{
    public override string Name => nameof(CrossEntropyFunction);

    /// <summary>Negative log-likelihoods; autograd works through them to the logits.</summary>
    public static Tensor Apply(Tensor logits, Tensor labels) => apply(logits, labels);

    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var (logits, labels) = ((Tensor)vars[0], (Tensor)vars[1]);
        var logSums = FusedCrossEntropy.ComputeLogSums(logits);
        ctx.save_for_backward([logits, labels, logSums]);
        return FusedCrossEntropy.Subtract(logSums, logits, labels);
    }

    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        ReturnedGradients.ReleaseLast();
        using var given = grad_output;
        var saved = ctx.get_saved_variables();
        return ReturnedGradients.Return(FusedCrossEntropy.ComputeGradient(saved[0], saved[1], saved[2], given), null);
    }
}
