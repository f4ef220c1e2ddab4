using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using CoPe.Kernels.Torch;
using CoPe.Scoring;
using static TorchSharp.torch;

namespace CoPe.Decoding;

/// <summary>
/// The weight of the amateur at a place: none where it is certain (an addition to the paper's method, off by default).
/// <code>weight = 0 if max p_a &gt; unlessCertain, else contrast</code>
/// p_a is the amateur's own distribution, before any repetition penalty. What it is certain of is mostly copied from
/// the request, names and things, where contrast does harm; what distinguishes a person is said where it is not.
/// </summary>
static class ContrastWeight
{
    /// <summary>Logits summed between two looks at whether the sum is large enough.</summary>
    const int Chunk = 512;

    /// <summary>Whether an amateur whose likeliest token has this probability is left out of the score.</summary>
    public static bool IsCertain(double highestProbability, double? unlessCertain) =>
        highestProbability > unlessCertain;

    /// <summary>Whether the contrast was left out at a place of an answer that was decoded with some options.</summary>
    /// <param name="options">How the answer was decoded.</param>
    /// <param name="amateur">The answer's scores under the amateur, with at least one alternative.</param>
    /// <param name="position">The place.</param>
    public static bool IsLeftOut(DecodingOptions options, ScoredResponse amateur, int position) =>
        options.Contrast > 0
        && IsCertain(Math.Exp(amateur.Alternatives[position][0].LogProb), options.ContrastUnlessCertain);

    /// <summary>The weight of every row.</summary>
    /// <param name="amateurLogits"><c>[rows, vocab]</c> float32.</param>
    /// <param name="contrast">The weight where the amateur is not certain.</param>
    /// <param name="unlessCertain">Highest probability beyond which it is; null is never.</param>
    /// <returns><c>[rows, 1]</c> float32, owned by the caller.</returns>
    public static Tensor Compute(Tensor amateurLogits, double contrast, double? unlessCertain)
    {
        using var scope = NewDisposeScope();
        var weight = amateurLogits.new_full([amateurLogits.shape[0], 1], Scalars.Of(contrast));
        if (unlessCertain is { } limit)
        {
            var logHighest = amateurLogits.amax([-1], keepdim: true) - amateurLogits.logsumexp(-1, keepdim: true);
            weight.masked_fill_(logHighest > Scalars.Of(Math.Log(limit)), Scalars.Of(0.0));
        }

        return weight.MoveToOuterDisposeScope();
    }

    /// <summary>The weight of a row on the processor.</summary>
    /// <param name="amateurLogits">The row's logits.</param>
    /// <param name="highest">The highest of them, which is finite.</param>
    /// <param name="contrast">The weight where the amateur is not certain.</param>
    /// <param name="unlessCertain">Highest probability beyond which it is; null is never.</param>
    public static double Compute(
        ReadOnlySpan<float> amateurLogits,
        float highest,
        double contrast,
        double? unlessCertain
    ) => unlessCertain is { } limit && IsCertain(1 / SumUpTo(1 / limit, amateurLogits, highest), limit) ? 0 : contrast;

    /// <summary>
    /// <c>1 / max p = sum exp(l - max l)</c>, or what it has come to once that is <paramref name="enough"/>: most rows
    /// are decided by a part of the vocabulary.
    /// </summary>
    static double SumUpTo(double enough, ReadOnlySpan<float> logits, float highest)
    {
        var sum = 0.0;
        while (logits.Length > 0 && sum < enough)
        {
            var count = Math.Min(Chunk, logits.Length);
            sum += SumExponentials(logits[..count], highest);
            logits = logits[count..];
        }

        return sum;
    }

    static double SumExponentials(ReadOnlySpan<float> logits, float highest)
    {
        var vectors = MemoryMarshal.Cast<float, Vector256<float>>(logits);
        var sums = Vector256<float>.Zero;
        foreach (var some in vectors)
        {
            sums += Vector256.Exp(some - Vector256.Create(highest));
        }

        var sum = (double)Vector256.Sum(sums);
        foreach (var logit in logits[(vectors.Length * Vector256<float>.Count)..])
        {
            sum += Math.Exp(logit - highest);
        }

        return sum;
    }
}
