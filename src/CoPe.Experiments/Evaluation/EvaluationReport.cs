namespace CoPe.Experiments.Evaluation;

/// <summary>What every method scored on one task.</summary>
public sealed record EvaluationReport
{
    /// <summary>Name of the task.</summary>
    public required string Task { get; init; }

    /// <summary>The methods, in the order in which they were given.</summary>
    public required IReadOnlyList<MethodScores> Methods { get; init; }

    /// <summary>
    /// What a reader of the figures must know: ids that did not match, answers that could not be read.
    /// </summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>The scores of a method.</summary>
    /// <param name="method">Its name.</param>
    /// <exception cref="KeyNotFoundException">The report has no such method.</exception>
    public MethodScores ScoresOf(string method) =>
        Methods.FirstOrDefault(scores => scores.Method == method)
        ?? throw new KeyNotFoundException(
            $"The report on {Task} has no method '{method}'. "
                + $"It has: {string.Join(", ", Methods.Select(scores => scores.Method))}."
        );
}

/// <summary>What one method scored on a task.</summary>
public sealed record MethodScores
{
    /// <summary>Name of the method, for example <c>cope</c>.</summary>
    public required string Method { get; init; }

    /// <summary>The model that the prediction file names, where it does.</summary>
    public string? Model { get; init; }

    /// <summary>
    /// Metric name to mean and standard error over queries, in the order of <see cref="Metric.All"/>.
    /// </summary>
    public required IReadOnlyDictionary<string, MeanWithError> Metrics { get; init; }

    /// <summary>
    /// Metric name to mean and standard error over users, each user one value; empty where users are not known.
    /// </summary>
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

/// <summary>What one user's predictions scored together.</summary>
public sealed record UserScores
{
    /// <summary>The user.</summary>
    public required string UserId { get; init; }

    /// <summary>How many of their queries were scored.</summary>
    public required int Queries { get; init; }

    /// <summary>How many items their history has.</summary>
    public required int HistoryItems { get; init; }

    /// <summary>Metric name to its value over their queries.</summary>
    public required IReadOnlyDictionary<string, double> Values { get; init; }
}

/// <summary>What one prediction scored.</summary>
public sealed record QueryScores
{
    /// <summary>The query.</summary>
    public required string Id { get; init; }

    /// <summary>The user; null where only a label file is known.</summary>
    public string? UserId { get; init; }

    /// <summary>
    /// Metric name to value. A metric that a single answer does not have (macro-f1, rmse), or that needs a history the
    /// user lacks, is absent.
    /// </summary>
    public required IReadOnlyDictionary<string, double> Values { get; init; }
}
