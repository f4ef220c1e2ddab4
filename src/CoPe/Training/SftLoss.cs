using CoPe.Kernels.Fused;
using CoPe.Kernels.Torch;
using static TorchSharp.torch;

namespace CoPe.Training;

/// <summary>
/// Negative log-likelihood of the answer's tokens: the loss of supervised fine-tuning and of pre-training.
/// </summary>
public static class SftLoss
{
    /// <summary>
    /// Loss of each label:
    /// <code>nll_t = -log softmax(logits_t)[label_t]</code>
    /// </summary>
    /// <param name="logits">Logits <c>[labels, vocab]</c>, any float type; the softmax is taken in float32.</param>
    /// <param name="labels">Token ids <c>[labels]</c> int64.</param>
    /// <returns><c>[labels]</c> float32, the caller's.</returns>
    /// <exception cref="ArgumentException">The shapes do not belong together.</exception>
    public static Tensor ComputePerToken(Tensor logits, Tensor labels)
    {
        if (logits.dim() != 2 || labels.dim() != 1 || logits.shape[0] != labels.shape[0])
        {
            throw new ArgumentException(
                $"Logits have shape [{string.Join(", ", logits.shape)}] "
                    + $"and labels [{string.Join(", ", labels.shape)}]; expected [labels, vocab] and [labels].",
                nameof(logits)
            );
        }

        if (FusedCrossEntropy.Supports(logits))
        {
            return FusedCrossEntropy.Apply(logits, labels);
        }

        using var scope = NewDisposeScope();
        return nn
            .functional.cross_entropy(logits.to(ScalarType.Float32), labels, reduction: nn.Reduction.None)
            .MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Mean over the label tokens of a batch, as Hugging Face's Trainer takes it:
    /// <code>L = 1/|labels| * sum_t nll_t</code>
    /// </summary>
    /// <param name="logits">Logits <c>[labels, vocab]</c>.</param>
    /// <param name="labels">Token ids <c>[labels]</c> int64, at least one.</param>
    /// <returns>A float32 scalar, the caller's.</returns>
    /// <exception cref="ArgumentException">The shapes do not belong together, or there is no label.</exception>
    public static Tensor ComputeMean(Tensor logits, Tensor labels)
    {
        if (labels.numel() == 0)
        {
            throw new ArgumentException(
                "There is no label token to take the mean over; drop examples without an answer first.",
                nameof(labels)
            );
        }

        using var scope = NewDisposeScope();
        return ComputePerToken(logits, labels).mean().MoveToOuterDisposeScope();
    }
}

/// <summary>Log-probability of whole answers.</summary>
static class SequenceLogProb
{
    /// <summary>
    /// Sum over the tokens of each answer, as TRL's DPO takes it (end-of-turn token included):
    /// <code>log pi(y | x) = sum_t log pi(y_t | x, y_&lt;t)</code>
    /// </summary>
    /// <param name="tokenLogProbs">Log-probability of each label <c>[labels]</c> float32.</param>
    /// <param name="sequenceOfToken">Which answer each label belongs to <c>[labels]</c> int64.</param>
    /// <param name="sequences">Number of answers.</param>
    /// <returns><c>[sequences]</c> float32, the caller's; 0 for an answer without labels.</returns>
    /// <exception cref="ArgumentException">The shapes differ.</exception>
    public static Tensor Sum(Tensor tokenLogProbs, Tensor sequenceOfToken, long sequences)
    {
        if (
            tokenLogProbs.dim() != 1
            || sequenceOfToken.dim() != 1
            || tokenLogProbs.shape[0] != sequenceOfToken.shape[0]
        )
        {
            throw new ArgumentException(
                $"Log-probabilities have shape [{string.Join(", ", tokenLogProbs.shape)}] "
                    + $"and their sequences [{string.Join(", ", sequenceOfToken.shape)}]; expected the same [labels].",
                nameof(tokenLogProbs)
            );
        }

        using var scope = NewDisposeScope();
        return zeros(sequences, dtype: ScalarType.Float32, device: tokenLogProbs.device)
            .index_add(0, sequenceOfToken, tokenLogProbs, Scalars.One)
            .MoveToOuterDisposeScope();
    }
}
