namespace CoPe.Evaluation;

/// <summary>What every method scored on one task.</summary>
public sealed record EvaluationReport
{
    /// <summary>Name of the task.</summary>
    public required string Task { get; init; }

    /// <summary>The methods, in the order in which they were given.</summary>
    public required IReadOnlyList<MethodScores> Methods { get; init; }

    /// <summary>What a reader of the figures must know: ids that did not match, answers that could not be read.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>The scores of a method.</summary>
    /// <param name="method">Its name.</param>
    /// <exception cref="KeyNotFoundException">The report has no such method.</exception>
    public MethodScores Of(string method) => Methods.FirstOrDefault(scores => scores.Method == method)
        ?? throw new KeyNotFoundException($"The report on {Task} has no method '{method}'. It has: {string.Join(", ", Methods.Select(scores => scores.Method))}.");
}
