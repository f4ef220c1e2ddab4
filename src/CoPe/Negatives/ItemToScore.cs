namespace CoPe.Negatives;

/// <summary>A history item with its candidates, in ids.</summary>
/// <param name="UserId">The user.</param>
/// <param name="ItemId">The item.</param>
/// <param name="UserAdapter">Index of the user's adapter in the scorer's user bank.</param>
/// <param name="Prompt">Ids of the prompt.</param>
/// <param name="Gold">Ids of the user's own text, the end-of-turn token last.</param>
/// <param name="Candidates">Ids of each candidate, the end-of-turn token last.</param>
public sealed record ItemToScore(string UserId, string ItemId, int UserAdapter, IReadOnlyList<int> Prompt, IReadOnlyList<int> Gold, IReadOnlyList<IReadOnlyList<int>> Candidates);
