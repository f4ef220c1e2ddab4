namespace CoPe.Experiments.Negatives;

/// <summary>Chooses which candidate becomes the rejected answer (CoPe section 3.2).</summary>
public static class NegativeSelector
{
    /// <summary>
    /// Index of the rejected candidate; the first where several tie.
    /// <code>
    /// max: argmax_i [log pi_TAM(y_i) - log pi_user(y_i)] = the lowest implicit reward;   min: the highest
    /// random: i = seed mod count
    /// </code>
    /// </summary>
    /// <param name="scores">The candidates' scores.</param>
    /// <param name="selection">Which is rejected.</param>
    /// <param name="reward">How log-probabilities are reduced.</param>
    /// <param name="seed">The item's seed, any number; only <see cref="NegativeSelection.Random"/> uses it.</param>
    /// <exception cref="ArgumentException">There is no candidate.</exception>
    public static int Select(
        IReadOnlyList<CandidateScore> scores,
        NegativeSelection selection = NegativeSelection.Max,
        RewardKind reward = RewardKind.Sum,
        long seed = 0
    )
    {
        if (scores.Count == 0)
        {
            throw new ArgumentException(
                "There is no candidate to select from; an item without candidates makes no preference pair.",
                nameof(scores)
            );
        }

        if (selection == NegativeSelection.Random)
        {
            return (int)((ulong)seed % (ulong)scores.Count);
        }

        var sign = selection == NegativeSelection.Max ? 1 : -1;
        return Enumerable.Range(0, scores.Count).MinBy(index => sign * scores[index].ComputeReward(reward));
    }
}

/// <summary>
/// Which candidate becomes the rejected answer. The reference words it by log pi_TAM - log pi_user, the implicit reward
/// with its sign turned.
/// </summary>
public enum NegativeSelection
{
    /// <summary>Largest log pi_TAM - log pi_user, that is the lowest implicit reward (the paper's).</summary>
    Max,

    /// <summary>
    /// Smallest log pi_TAM - log pi_user, that is the highest implicit reward (the paper's ablation).
    /// </summary>
    Min,

    /// <summary>
    /// Any of them, whatever its reward (an ablation of this project): the same one in every run, by the ids of user
    /// and item.
    /// </summary>
    Random,
}

/// <summary>
/// How well the implicit reward (CoPe eq. 4) knows the user: the share of other answers that it ranks below their own.
/// </summary>
public static class RewardRank
{
    /// <summary>
    /// The share, ties counted half; one half is what a random reward gives.
    /// <code>mean over others of (sign(own - other) + 1) / 2</code>
    /// </summary>
    /// <param name="own">Reward of the user's own answer, in nats.</param>
    /// <param name="others">
    /// Rewards of other answers to the same request, of the same kind (sums, or means per token).
    /// </param>
    /// <returns>0 to 1; null without others.</returns>
    public static double? Compute(double own, IReadOnlyList<double> others)
    {
        ArgumentNullException.ThrowIfNull(others);
        return others.Count == 0 ? null : others.Average(other => (Math.Sign(own - other) + 1) / 2.0);
    }
}
