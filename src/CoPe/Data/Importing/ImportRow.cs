namespace CoPe.Data.Importing;

/// <summary>A text of somebody's, as a source holds it.</summary>
/// <param name="Place">Where it stands.</param>
/// <param name="Fields">Its columns by name; null where a JSON file says null.</param>
sealed record ImportRow(DataFilePlace Place, IReadOnlyDictionary<string, string?> Fields);
