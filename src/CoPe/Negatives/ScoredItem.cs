
namespace CoPe.Negatives;

/// <summary>Scores of a history item: of the user's own text and of each candidate.</summary>
/// <param name="UserId">The user.</param>
/// <param name="ItemId">The item.</param>
/// <param name="Gold">Score of the text the user wrote.</param>
/// <param name="Candidates">Scores of the candidates, in their order.</param>
public sealed record ScoredItem(string UserId, string ItemId, CandidateScore Gold, IReadOnlyList<CandidateScore> Candidates)
{
    /// <summary>Share of candidates whose implicit reward is below that of the user's own text, ties counted half; null without candidates. One half is chance.</summary>
    public double? GoldWins(RewardKind kind = RewardKind.Sum) => Candidates.Count == 0 ? null
        : Candidates.Average(candidate => (Math.Sign(Gold.Reward(kind) - candidate.Reward(kind)) + 1) / 2.0);
}
