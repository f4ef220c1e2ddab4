namespace CoPe.Data.Building;

/// <summary>One example of a published benchmark: a question with the profile of its user.</summary>
/// <param name="User">The user; null where the file names none, so that every record is one.</param>
/// <param name="Query">The question; its gold may be empty.</param>
/// <param name="Items">The profile as the file orders it.</param>
sealed record PublishedRecord(string? User, LampQuery Query, IReadOnlyList<HistoryItem> Items);
