namespace CoPe.Cli.Display;

/// <summary>A run in a line: what it was made of, where it stands, what it came to.</summary>
sealed record RunSummary
{
    /// <summary>The run's folder as the person would name it.</summary>
    public required string Run { get; init; }

    /// <summary>The task; null where the recipe cannot be read.</summary>
    public string? Task { get; init; }

    /// <summary>The model, by path or name.</summary>
    public string? Model { get; init; }

    /// <summary>The data folder; within the run from the run's folder.</summary>
    public string? Data { get; init; }

    /// <summary>Users with an adapter or answers; null before there are any.</summary>
    public int? Users { get; init; }

    /// <summary>In words: <c>complete</c>, <c>out of date</c>, <c>3 of 11 stages</c>.</summary>
    public required string State { get; init; }

    /// <summary>Time at work in all stages.</summary>
    public TimeSpan Time { get; init; }

    /// <summary>The best method by the task's headline metric; null where nothing was evaluated.</summary>
    public BestFigure? Best { get; init; }

    /// <summary>Runs within this one: several seeds, or a sweep.</summary>
    public IReadOnlyList<RunSummary> Runs { get; init; } = [];
}

/// <summary>The best figure of a run.</summary>
/// <param name="Metric">The task's headline metric.</param>
/// <param name="Method">The method that has it.</param>
/// <param name="Mean">Its mean over queries.</param>
/// <param name="StandardError">Its standard error.</param>
/// <param name="LowerIsBetter">Whether smaller means are better.</param>
sealed record BestFigure(string Metric, string Method, double Mean, double StandardError, bool LowerIsBetter);
