namespace CoPe.Negatives;

/// <summary>Scores of a history item: of the user's own text and of each candidate.</summary>
/// <param name="UserId">The user.</param>
/// <param name="ItemId">The item.</param>
/// <param name="Gold">Score of the text the user wrote.</param>
/// <param name="Candidates">Scores of the candidates, in their order.</param>
public sealed record ScoredItem(string UserId, string ItemId, CandidateScore Gold, IReadOnlyList<CandidateScore> Candidates);
