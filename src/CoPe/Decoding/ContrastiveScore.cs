using CoPe.Kernels;
using static TorchSharp.torch;

namespace CoPe.Decoding;

/// <summary>
/// The score by which CoPe chooses a token (Bu et al., EMNLP 2025, section 3; reference: <c>contrastive_decoding</c> in <c>OPPU_sft.py</c>).
/// <code>score(v) = log p_e(v) - contrast * log p_a(v)   on the plausible head, -inf outside</code>
/// p_e is the expert's distribution renormalised on its head, p_a the amateur's over the whole vocabulary.
/// </summary>
/// <remarks>Greedy decoding on the processor needs the best token alone and takes it from <see cref="ContrastiveChoice"/>, which leaves out of the same score what all tokens of a row have in common.</remarks>
public static class ContrastiveScore
{
    const double Epsilon = 1e-8;

    /// <summary>Scores of every token of every row.</summary>
    /// <param name="expertLogits"><c>[rows, vocab]</c> float32.</param>
    /// <param name="amateurLogits"><c>[rows, vocab]</c> float32.</param>
    /// <param name="contrast">Weight of the amateur.</param>
    /// <param name="plausibility">Share of the expert's highest probability that the head needs.</param>
    /// <param name="referenceEpsilon">Add 1e-8 inside both logarithms, as the reference does: tokens outside the head are then scored <c>log(1e-8) - contrast * log(p_a + 1e-8)</c>.</param>
    /// <returns><c>[rows, vocab]</c> float32, owned by the caller.</returns>
    /// <exception cref="ArgumentException">The two shapes differ.</exception>
    public static Tensor Compute(Tensor expertLogits, Tensor amateurLogits, double contrast, double plausibility, bool referenceEpsilon = false)
    {
        if (!expertLogits.shape.SequenceEqual(amateurLogits.shape))
            throw new ArgumentException($"Expert logits have shape [{string.Join(", ", expertLogits.shape)}], amateur logits [{string.Join(", ", amateurLogits.shape)}]; expected the same.", nameof(amateurLogits));
        using var scope = NewDisposeScope();
        var head = Plausibility.Restrict(expertLogits, plausibility);
        var score = referenceEpsilon
            ? head.softmax(-1).add_(Scalars.Of(Epsilon), Scalars.One).log_().sub_(amateurLogits.softmax(-1).add_(Scalars.Of(Epsilon), Scalars.One).log_().mul_(Scalars.Of(contrast)))
            : head.log_softmax(-1).sub_(amateurLogits.log_softmax(-1).mul_(Scalars.Of(contrast)));
        return score.MoveToOuterDisposeScope();
    }
}
