namespace CoPe.Evaluation;

/// <summary>What one prediction scored.</summary>
public sealed record QueryScores
{
    /// <summary>The query.</summary>
    public required string Id { get; init; }

    /// <summary>The user; null where only a label file is known.</summary>
    public string? UserId { get; init; }

    /// <summary>Metric name to value. A metric that a single answer does not have (macro-f1, rmse), or that needs a history the user lacks, is absent.</summary>
    public required IReadOnlyDictionary<string, double> Values { get; init; }
}
