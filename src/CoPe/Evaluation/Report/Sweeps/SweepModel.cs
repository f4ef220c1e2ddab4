namespace CoPe.Evaluation.Report.Sweeps;

/// <summary>All a sweep's page shows, as plain values.</summary>
public sealed record SweepModel
{
    /// <summary>Title, for example the task and the model.</summary>
    public required string Title { get; init; }

    /// <summary>On what was measured, as a sentence.</summary>
    public required string Lead { get; init; }

    /// <summary>The keys, in the order in which they were swept.</summary>
    public required IReadOnlyList<SweepKey> Keys { get; init; }

    /// <summary>The recipe with the chosen values, in YAML.</summary>
    public string RecipeYaml { get; init; } = "";
}
