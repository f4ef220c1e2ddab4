
namespace CoPe.Negatives;

/// <summary>Chooses which candidate becomes the rejected answer (CoPe section 3.2).</summary>
public static class NegativeSelector
{
    /// <summary>
    /// Index of the rejected candidate; the first where several tie.
    /// <code>max: argmax_i [log pi_TAM(y_i) - log pi_user(y_i)] = the lowest implicit reward;   min: the highest</code>
    /// </summary>
    /// <exception cref="ArgumentException">There is no candidate.</exception>
    public static int Select(IReadOnlyList<CandidateScore> scores, NegativeSelection selection = NegativeSelection.Max, RewardKind reward = RewardKind.Sum)
    {
        if (scores.Count == 0) throw new ArgumentException("There is no candidate to select from; an item without candidates makes no preference pair.", nameof(scores));
        var sign = selection == NegativeSelection.Max ? 1 : -1;
        return Enumerable.Range(0, scores.Count).MinBy(index => sign * scores[index].Reward(reward));
    }
}
