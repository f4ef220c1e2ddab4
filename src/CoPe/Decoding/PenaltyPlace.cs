namespace CoPe.Decoding;

/// <summary>What the repetition penalty of a contrastive request acts on. Plain decoding has logits alone.</summary>
public enum PenaltyPlace
{
    /// <summary>
    /// The contrastive score, as in the reference. A likely token's score is close to zero, where a factor changes little: <c>log .9 = -.105</c> becomes <c>-.126</c> under a penalty of 1.2,
    /// so a loop that the expert is sure of goes on.
    /// </summary>
    Score,

    /// <summary>The logits of expert and amateur, before head and contrast: what <c>generate()</c> does to each model alone, so that a contrast of 0 is plain decoding with the penalty within the head.</summary>
    Logits,
}
