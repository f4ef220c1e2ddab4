namespace CoPe.Negatives;

/// <summary>A history item that needs candidates.</summary>
/// <param name="UserId">The user.</param>
/// <param name="ItemId">The item, unique within the user.</param>
/// <param name="Prompt">Ids of the item's prompt.</param>
/// <param name="Gold">The text the user really wrote, which no candidate may repeat.</param>
public sealed record CandidateItem(string UserId, string ItemId, IReadOnlyList<int> Prompt, string Gold)
{
    /// <summary>Whether a drawn text can be a rejected answer: it is not empty, and not what the user wrote.</summary>
    public bool Accepts(string text) => text.Trim() is { Length: > 0 } trimmed && !string.Equals(trimmed, Gold.Trim(), StringComparison.Ordinal);
}
