namespace CoPe.Evaluation.Report.Seeds;

/// <summary>All the page of several seeds shows, as plain values.</summary>
public sealed record SeedsModel
{
    /// <summary>The seeds as one: figures averaged over them, with their deviation, tests and gains on the averages.</summary>
    public required ReportModel Average { get; init; }

    /// <summary>Each seed alone, in their order.</summary>
    public required IReadOnlyList<SeedResults> Seeds { get; init; }
}
