namespace CoPe.Data.Importing;

/// <summary>A row of a CSV file.</summary>
/// <param name="Line">Line on which it begins, counted from 1.</param>
/// <param name="Fields">Its fields.</param>
sealed record CsvRow(long Line, IReadOnlyList<string> Fields);
