namespace CoPe.Data.Building;

/// <summary>An example as a published file holds it.</summary>
/// <param name="Number">Its place in the file, counted from 1.</param>
/// <param name="Scalars">Its texts and numbers by name; null where the file says null.</param>
/// <param name="Profile">Its history items, null for one that is no object; null where there is no profile.</param>
sealed record RawExample(int Number, IReadOnlyDictionary<string, string?> Scalars, IReadOnlyList<Dictionary<string, string?>?>? Profile);
