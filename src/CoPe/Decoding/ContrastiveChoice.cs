using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using CoPe.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace CoPe.Decoding;

/// <summary>
/// The token that <see cref="ContrastiveScore"/> ranks highest, without the scores of the others: normalising moves all of a row's scores alike, so that
/// <code>argmax score(v) = argmax l_e(v) - contrast * l_a(v)   on the plausible head</code>
/// of logits l_e and l_a. Two walks over the rows take the place of two softmaxes over the vocabulary and what follows them.
/// </summary>
static unsafe class ContrastiveChoice
{
    /// <summary>Whether logits <c>[rows, vocab]</c> are of the kind: float32 on the processor, contiguous.</summary>
    public static bool Applies(Tensor logits) => logits.dtype == ScalarType.Float32 && logits.device_type == DeviceType.CPU && logits.is_contiguous();

    /// <summary>
    /// The choice of each pair of rows, the lowest token where several are highest, or <paramref name="noNumber"/> where the scores would be no numbers: NaN in a row, or an infinite highest logit.
    /// Differences are taken in float64.
    /// </summary>
    /// <param name="logits"><c>[rows, vocab]</c> float32.</param>
    /// <param name="pairs">Row of each expert and row of its amateur.</param>
    /// <param name="contrast">Weight of the amateur.</param>
    /// <param name="plausibility">Share of the expert's highest probability that the head needs (<see cref="Plausibility"/>).</param>
    /// <param name="noNumber">Stands for the token of a pair without numbers.</param>
    public static long[] Compute(Tensor logits, IReadOnlyList<(int Expert, int Amateur)> pairs, double contrast, double plausibility, long noNumber)
    {
        var vocab = (int)logits.shape[1];
        var tokens = new long[pairs.Count];
        var first = (float*)TensorMemory.Of(logits);
        KernelTeam.Run(TorchThreads.OfKernels, pairs.Count, pair =>
        {
            float* expert = first + (long)pairs[pair].Expert * vocab, amateur = first + (long)pairs[pair].Amateur * vocab;
            var highest = Highest(expert, vocab);
            tokens[pair] = float.IsFinite(highest) && float.IsFinite(Highest(amateur, vocab)) ? Best(expert, amateur, vocab, contrast, highest + (float)Math.Log(plausibility)) : noNumber;
        });
        GC.KeepAlive(logits);
        return tokens;
    }

    /// <summary>The highest logit; NaN where any is.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static float Highest(float* logits, int count)
    {
        var (highest, numbers) = (Vector256.Create(float.NegativeInfinity), Vector256<float>.AllBitsSet);
        var i = 0;
        for (; i + Vector256<float>.Count <= count; i += Vector256<float>.Count)
        {
            var some = Vector256.Load(logits + i);
            highest = Vector256.MaxNative(highest, some);
            numbers &= Vector256.Equals(some, some);
        }
        var result = numbers.AsInt32() == Vector256<int>.AllBitsSet ? Lanes256.Largest(new(highest)) : float.NaN;
        for (; i < count; i++) result = MathF.Max(result, logits[i]);
        return result;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static int Best(float* expert, float* amateur, int count, double contrast, float threshold)
    {
        var (best, token) = (double.NegativeInfinity, -1);
        void Try(int from, int to)
        {
            for (var v = from; v < to; v++)
            {
                if (expert[v] < threshold) continue;
                var score = expert[v] - contrast * amateur[v];
                if (score > best || token < 0) (best, token) = (score, v);
            }
        }

        var i = 0;
        for (; i + Vector256<float>.Count <= count; i += Vector256<float>.Count)
            if (Vector256.GreaterThanOrEqualAny(Vector256.Load(expert + i), Vector256.Create(threshold))) Try(i, i + Vector256<float>.Count);
        Try(i, count);
        return token;
    }
}
