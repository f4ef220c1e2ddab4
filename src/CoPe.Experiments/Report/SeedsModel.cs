using CoPe.Experiments.Evaluation;

namespace CoPe.Experiments.Report;

/// <summary>All the page of several seeds shows, as plain values.</summary>
sealed record SeedsModel
{
    /// <summary>
    /// The seeds as one: results averaged over them, with their deviation, tests and gains on the averages.
    /// </summary>
    public required ReportModel Average { get; init; }

    /// <summary>Each seed alone, in their order.</summary>
    public required IReadOnlyList<SeedResults> Seeds { get; init; }
}

/// <summary>The results of a recipe with one seed.</summary>
/// <param name="Seed">The seed.</param>
/// <param name="Results">Its table, under the names of the table of all seeds.</param>
sealed record SeedResults(long Seed, ResultsTable Results);
