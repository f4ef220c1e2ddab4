using CoPe.Kernels;
using static TorchSharp.torch;

namespace CoPe.Training;

/// <summary>Log-probability of whole answers.</summary>
public static class SequenceLogProb
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
        if (tokenLogProbs.dim() != 1 || sequenceOfToken.dim() != 1 || tokenLogProbs.shape[0] != sequenceOfToken.shape[0])
            throw new ArgumentException($"Log-probabilities have shape [{string.Join(", ", tokenLogProbs.shape)}] and their sequences [{string.Join(", ", sequenceOfToken.shape)}]; expected the same [labels].", nameof(tokenLogProbs));
        using var scope = NewDisposeScope();
        return zeros(sequences, dtype: ScalarType.Float32, device: tokenLogProbs.device).index_add(0, sequenceOfToken, tokenLogProbs, Scalars.One).MoveToOuterDisposeScope();
    }
}
