using CoPe.Kernels.Torch;
using static TorchSharp.torch;

namespace CoPe.Decoding;

/// <summary>
/// The repetition penalty of Hugging Face (Keskar et al., 2019, CTRL, section 4.1): every token that occurs in prompt
/// or answer, once however often it occurs.
/// <code>s(v) := s(v) * penalty if s(v) &lt; 0 else s(v) / penalty</code>
/// It acts on logits in plain decoding; in contrastive decoding on the <see cref="ContrastiveScore"/> or on the logits
/// before it (<see cref="RepetitionPenaltyTarget"/>).
/// </summary>
static class RepetitionPenalty
{
    /// <summary>Scores with the penalty applied.</summary>
    /// <param name="scores"><c>[rows, vocab]</c> float32.</param>
    /// <param name="ids">
    /// Tokens so far <c>[rows, length]</c> int64; shorter rows are filled up with any of their own tokens.
    /// </param>
    /// <param name="penalty">The penalty; 1 is none.</param>
    /// <returns><c>[rows, vocab]</c> float32, owned by the caller.</returns>
    public static Tensor Apply(Tensor scores, Tensor ids, double penalty)
    {
        using var scope = NewDisposeScope();
        var seen = scores.gather(1, ids); // [rows, length]
        var penalized = where(seen.lt(Scalars.Of(0)), seen.mul(Scalars.Of(penalty)), seen.div(Scalars.Of(penalty)));
        return scores.scatter(1, ids, penalized).MoveToOuterDisposeScope();
    }
}

/// <summary>What the repetition penalty of a contrastive request acts on. Plain decoding has logits alone.</summary>
public enum RepetitionPenaltyTarget
{
    /// <summary>
    /// The contrastive score, as in the reference. A likely token's score is close to zero, where a factor changes
    /// little: <c>log .9 = -.105</c> becomes <c>-.126</c> under a penalty of 1.2, so a loop that the expert is sure of
    /// continues.
    /// </summary>
    Score,

    /// <summary>
    /// The logits of expert and amateur, before head and contrast: what <c>generate()</c> does to each model alone, so
    /// that a contrast of 0 is plain decoding with the penalty within the head.
    /// </summary>
    Logits,
}
