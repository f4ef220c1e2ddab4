namespace CoPe.Negatives;

/// <summary>The candidates of one history item, in the order they were drawn.</summary>
/// <param name="UserId">The user.</param>
/// <param name="ItemId">The item.</param>
/// <param name="Candidates">Usable candidates; fewer than wanted where drawing again did not help.</param>
/// <param name="Dropped">Draws that were empty or the user's own text.</param>
public sealed record CandidateSet(string UserId, string ItemId, IReadOnlyList<Candidate> Candidates, int Dropped);
