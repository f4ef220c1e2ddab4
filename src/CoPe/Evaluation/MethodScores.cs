namespace CoPe.Evaluation;

/// <summary>What one method scored on a task.</summary>
public sealed record MethodScores
{
    /// <summary>Name of the method, for example <c>cope</c>.</summary>
    public required string Method { get; init; }

    /// <summary>The model that the prediction file names, where it does.</summary>
    public string? Model { get; init; }

    /// <summary>Metric name to mean and standard error over queries, in the order of <see cref="Metric.All"/>.</summary>
    public required IReadOnlyDictionary<string, MeanWithError> Metrics { get; init; }

    /// <summary>Metric name to mean and standard error over users, each user one value; empty where users are not known.</summary>
    public required IReadOnlyDictionary<string, MeanWithError> OverUsers { get; init; }

    /// <summary>Each scored query, in the order of the golds.</summary>
    public required IReadOnlyList<QueryScores> Queries { get; init; }

    /// <summary>Each user with a scored query, in the order of the golds; empty where users are not known.</summary>
    public required IReadOnlyList<UserScores> Users { get; init; }

    /// <summary>Golds without a prediction, which the figures leave out.</summary>
    public IReadOnlyList<string> MissingIds { get; init; } = [];

    /// <summary>Predictions without a gold, which the figures leave out.</summary>
    public IReadOnlyList<string> UnknownIds { get; init; } = [];
}
