namespace CoPe.Evaluation;

/// <summary>What one user's predictions scored together.</summary>
public sealed record UserScores
{
    /// <summary>The user.</summary>
    public required string UserId { get; init; }

    /// <summary>How many of his queries were scored.</summary>
    public required int Queries { get; init; }

    /// <summary>How many items his history has.</summary>
    public required int HistoryItems { get; init; }

    /// <summary>Metric name to its value over his queries.</summary>
    public required IReadOnlyDictionary<string, double> Values { get; init; }
}
