namespace CoPe.Evaluation.Report.Seeds;

/// <summary>What a recipe came to with one seed.</summary>
/// <param name="Seed">The seed.</param>
/// <param name="Results">Its figures, under the names of the table of all seeds.</param>
public sealed record SeedResults(long Seed, ResultsTable Results);
