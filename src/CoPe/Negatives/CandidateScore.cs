
namespace CoPe.Negatives;

/// <summary>How likely a text is to the user's model and to the task-adaptive model; the latter is what DPO's reference policy says of it.</summary>
/// <param name="UserLogProb">log pi_user(y | x), summed over tokens.</param>
/// <param name="TaskLogProb">log pi_TAM(y | x), summed over tokens.</param>
/// <param name="Tokens">Number of tokens summed over.</param>
public sealed record CandidateScore(double UserLogProb, double TaskLogProb, int Tokens)
{
    /// <summary>
    /// The implicit reward of the text (CoPe eq. 4; reference: <c>compute_scores.py</c>, whose <c>difference</c> is its negative).
    /// <code>r(y | x) = log pi_user(y | x) - log pi_TAM(y | x)</code>
    /// </summary>
    /// <param name="kind">Sum over tokens, or mean per token.</param>
    public double Reward(RewardKind kind = RewardKind.Sum) =>
        (UserLogProb - TaskLogProb) / (kind == RewardKind.Mean ? Math.Max(1, Tokens) : 1);
}
