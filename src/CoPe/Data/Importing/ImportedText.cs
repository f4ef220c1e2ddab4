namespace CoPe.Data.Importing;

/// <summary>A text of a source, as little of it as must be held.</summary>
/// <param name="Author">Its author's number.</param>
/// <param name="Id">Its id; null where texts are numbered.</param>
/// <param name="Start">Where it begins in the spool.</param>
/// <param name="Date">When it was written, in ticks.</param>
readonly record struct ImportedText(int Author, string? Id, long Start, long Date = 0);
