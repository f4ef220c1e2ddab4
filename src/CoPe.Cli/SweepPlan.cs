using CoPe.Evaluation;
using CoPe.Runs.Results;

namespace CoPe.Cli;

/// <summary>What a sweep tries and what decides.</summary>
sealed record SweepPlan
{
    /// <summary>The keys, in order.</summary>
    public required IReadOnlyList<SweepAxis> Axes { get; init; }

    /// <summary>The metric that decides; null takes the task's first.</summary>
    public Metric? Metric { get; init; }

    /// <summary>The method that decides; null takes the recipe's last.</summary>
    public string? Method { get; init; }

    /// <summary>Items per user that become development queries, where the recipe does not say.</summary>
    public int DevelopmentItems { get; init; } = 3;
}
