using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using CoPe.Kernels;
using CoPe.Kernels.Threads;
using CoPe.Kernels.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace CoPe.Decoding;

/// <summary>
/// The score by which CoPe chooses a token (Bu et al., EMNLP 2025, section 3; reference: <c>contrastive_decoding</c> in
/// <c>OPPU_sft.py</c>).
/// <code>score(v) = log p_e(v) - contrast * log p_a(v)   on the plausible head, -inf outside</code>
/// p_e is the expert's distribution renormalized on its head, p_a the amateur's over the whole vocabulary. Where the
/// amateur is certain the contrast may be left out: <c>contrast</c> is then 0 at that place
/// (<see cref="DecodingOptions.ContrastUnlessCertain"/>).
/// </summary>
/// <remarks>
/// Greedy decoding on the processor needs the best token alone and takes it from <see cref="ContrastiveArgmax"/>, which
/// leaves out of the same score what all tokens of a row have in common.
/// </remarks>
public static class ContrastiveScore
{
    const double Epsilon = 1e-8;

    /// <summary>Scores of every token of every row.</summary>
    /// <param name="expertLogits"><c>[rows, vocab]</c> float32.</param>
    /// <param name="amateurLogits"><c>[rows, vocab]</c> float32.</param>
    /// <param name="contrast">Weight of the amateur.</param>
    /// <param name="plausibility">Share of the expert's highest probability that the head needs.</param>
    /// <param name="referenceEpsilon">
    /// Adds 1e-8 inside both logarithms, as the reference does: tokens outside the head are then scored <c>log(1e-8) -
    /// contrast * log(p_a + 1e-8)</c>.
    /// </param>
    /// <param name="unlessCertain">
    /// Highest probability of the amateur's beyond which a row is scored without contrast; null never does.
    /// </param>
    /// <returns><c>[rows, vocab]</c> float32, owned by the caller.</returns>
    /// <exception cref="ArgumentException">The two shapes differ.</exception>
    public static Tensor Compute(
        Tensor expertLogits,
        Tensor amateurLogits,
        double contrast,
        double plausibility,
        bool referenceEpsilon = false,
        double? unlessCertain = null
    )
    {
        using var weight = ContrastWeight.Compute(amateurLogits, contrast, unlessCertain);
        return Compute(expertLogits, amateurLogits, weight, plausibility, referenceEpsilon);
    }

    /// <summary>Scores with a weight for each row: <c>[rows, 1]</c> float32, still the caller's.</summary>
    internal static Tensor Compute(
        Tensor expertLogits,
        Tensor amateurLogits,
        Tensor weight,
        double plausibility,
        bool referenceEpsilon
    )
    {
        if (!expertLogits.shape.SequenceEqual(amateurLogits.shape))
        {
            throw new ArgumentException(
                $"Expert logits have shape [{string.Join(", ", expertLogits.shape)}], "
                    + $"amateur logits [{string.Join(", ", amateurLogits.shape)}]; expected the same.",
                nameof(amateurLogits)
            );
        }

        using var scope = NewDisposeScope();
        var head = Plausibility.Restrict(expertLogits, plausibility);
        var expert = referenceEpsilon ? ComputeLogWithEpsilon(head) : head.log_softmax(-1);
        var amateur = referenceEpsilon ? ComputeLogWithEpsilon(amateurLogits) : amateurLogits.log_softmax(-1);
        return expert.sub_(amateur.mul_(weight)).MoveToOuterDisposeScope();
    }

    static Tensor ComputeLogWithEpsilon(Tensor logits) =>
        logits.softmax(-1).add_(Scalars.Of(Epsilon), Scalars.One).log_();
}

/// <summary>
/// The plausible head of the expert's distribution (CoPe section 3, after Li et al., 2023, Contrastive Decoding, eq.
/// 3).
/// <code>V = { v : p(v) >= plausibility * max p }</code>
/// </summary>
static class Plausibility
{
    /// <summary>
    /// Logits with minus infinity outside the head, so that their softmax is the expert's distribution renormalized on
    /// the head. In logits the condition reads <c>l(v) >= max l + log(plausibility)</c>.
    /// </summary>
    /// <param name="expertLogits"><c>[rows, vocab]</c> float32.</param>
    /// <param name="plausibility">Share of the highest probability, 0 to 1; 0 keeps all.</param>
    /// <returns><c>[rows, vocab]</c> float32, owned by the caller.</returns>
    public static Tensor Restrict(Tensor expertLogits, double plausibility)
    {
        using var scope = NewDisposeScope();
        // [rows, 1].
        var threshold = expertLogits.amax([-1], keepdim: true).add_(Scalars.Of(Math.Log(plausibility)), Scalars.One);
        return expertLogits
            .masked_fill(expertLogits < threshold, Scalars.Of(double.NegativeInfinity))
            .MoveToOuterDisposeScope();
    }
}

/// <summary>
/// The token that <see cref="ContrastiveScore"/> ranks highest, without the scores of the others: normalizing shifts
/// all of a row's scores by the same amount, so that
/// <code>argmax score(v) = argmax l_e(v) - contrast * l_a(v)   on the plausible head</code>
/// of logits l_e and l_a. Two passes over the rows replace two softmaxes over the vocabulary and what follows them.
/// </summary>
static unsafe class ContrastiveArgmax
{
    /// <summary>Whether it can read logits <c>[rows, vocab]</c>: float32 on the processor, contiguous.</summary>
    public static bool Supports(Tensor logits) =>
        logits.dtype == ScalarType.Float32 && logits.device_type == DeviceType.CPU && logits.is_contiguous();

    /// <summary>
    /// The best token of each pair of rows, the lowest one of equals, or <paramref name="invalidToken"/> where the
    /// scores would not be numbers: NaN in a row, or an infinite highest logit. Differences are taken in float64.
    /// </summary>
    /// <param name="logits"><c>[rows, vocab]</c> float32.</param>
    /// <param name="pairs">Row of each expert and row of its amateur.</param>
    /// <param name="options">Contrast, plausibility, and where the contrast is left out.</param>
    /// <param name="invalidToken">Stands for the token of a pair whose scores are not numbers.</param>
    public static long[] Compute(
        Tensor logits,
        IReadOnlyList<(int Expert, int Amateur)> pairs,
        DecodingOptions options,
        long invalidToken
    )
    {
        var vocab = (int)logits.shape[1];
        var tokens = new long[pairs.Count];
        var first = (float*)TensorMemory.GetPointer(logits);
        WorkerTeam.Run(
            TorchThreads.KernelThreadCount,
            pairs.Count,
            pair =>
            {
                var expert = first + (long)pairs[pair].Expert * vocab;
                var amateur = first + (long)pairs[pair].Amateur * vocab;
                var (highest, amateurHighest) = (FindMax(expert, vocab), FindMax(amateur, vocab));
                if (!float.IsFinite(highest) || !float.IsFinite(amateurHighest))
                {
                    tokens[pair] = invalidToken;
                    return;
                }
                var weight = ContrastWeight.Compute(
                    new ReadOnlySpan<float>(amateur, vocab),
                    amateurHighest,
                    options.Contrast,
                    options.ContrastUnlessCertain
                );
                var threshold = highest + (float)Math.Log(options.Plausibility);
                tokens[pair] = FindBest(expert, amateur, vocab, weight, threshold);
            }
        );
        GC.KeepAlive(logits);
        return tokens;
    }

    /// <summary>The highest logit; NaN where any is.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static float FindMax(float* logits, int count)
    {
        var highest = Vector256.Create(float.NegativeInfinity);
        var areNumbers = Vector256<float>.AllBitsSet;
        var i = 0;
        for (; i + Vector256<float>.Count <= count; i += Vector256<float>.Count)
        {
            var some = Vector256.Load(logits + i);
            highest = Vector256.MaxNative(highest, some);
            areNumbers &= Vector256.Equals(some, some);
        }
        var result =
            areNumbers.AsInt32() == Vector256<int>.AllBitsSet ? FloatVector256.HorizontalMax(new(highest)) : float.NaN;
        for (; i < count; i++)
        {
            result = MathF.Max(result, logits[i]);
        }

        return result;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static int FindBest(float* expert, float* amateur, int count, double contrast, float threshold)
    {
        var best = double.NegativeInfinity;
        var token = -1;
        void Compare(int from, int to)
        {
            for (var v = from; v < to; v++)
            {
                if (expert[v] < threshold)
                {
                    continue;
                }

                var score = expert[v] - contrast * amateur[v];
                if (score > best || token < 0)
                {
                    best = score;
                    token = v;
                }
            }
        }

        var i = 0;
        for (; i + Vector256<float>.Count <= count; i += Vector256<float>.Count)
        {
            if (Vector256.GreaterThanOrEqualAny(Vector256.Load(expert + i), Vector256.Create(threshold)))
            {
                Compare(i, i + Vector256<float>.Count);
            }
        }

        Compare(i, count);
        return token;
    }
}
