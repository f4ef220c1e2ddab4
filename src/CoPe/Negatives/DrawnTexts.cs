namespace CoPe.Negatives;

/// <summary>Candidates of one history item as texts.</summary>
/// <param name="UserId">The user.</param>
/// <param name="ItemId">The item.</param>
/// <param name="Texts">Usable texts; fewer than wanted where drawing again did not help.</param>
public sealed record DrawnTexts(string UserId, string ItemId, IReadOnlyList<string> Texts);
