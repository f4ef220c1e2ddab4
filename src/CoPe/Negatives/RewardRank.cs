namespace CoPe.Negatives;

/// <summary>How well the implicit reward (CoPe eq. 4) knows the user: the share of other answers that it ranks below his own.</summary>
public static class RewardRank
{
    /// <summary>
    /// The share, ties counted half; one half is chance.
    /// <code>mean over others of (sign(own - other) + 1) / 2</code>
    /// </summary>
    /// <param name="own">Reward of the user's own answer, in nats.</param>
    /// <param name="others">Rewards of other answers to the same request, of the same kind (sums, or means per token).</param>
    /// <returns>0 to 1; null without others.</returns>
    public static double? Of(double own, IReadOnlyList<double> others)
    {
        ArgumentNullException.ThrowIfNull(others);
        return others.Count == 0 ? null : others.Average(other => (Math.Sign(own - other) + 1) / 2.0);
    }
}
