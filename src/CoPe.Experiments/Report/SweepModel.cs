using CoPe.Experiments.Evaluation;

namespace CoPe.Experiments.Report;

/// <summary>All a sweep's page shows, as plain values.</summary>
sealed record SweepModel
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

/// <summary>One key of the recipe over its values.</summary>
sealed record SweepKey
{
    /// <summary>The key, for example <c>decode.contrast</c>.</summary>
    public required string Key { get; init; }

    /// <summary>Its values, in the order of the axis.</summary>
    public required IReadOnlyList<string> Values { get; init; }

    /// <summary>Place of the chosen value.</summary>
    public required int Chosen { get; init; }

    /// <summary>Why it was chosen, as a sentence.</summary>
    public required string ChoiceExplanation { get; init; }

    /// <summary>
    /// Headings of the methods that the key does not change: they are in the table and are not drawn.
    /// </summary>
    public IReadOnlyList<string> UnaffectedMethods { get; init; } = [];

    /// <summary>One panel a metric.</summary>
    public required IReadOnlyList<SweepPanel> Panels { get; init; }
}

/// <summary>A metric over the values of a key.</summary>
/// <param name="Metric">Name and direction.</param>
/// <param name="Series">One series a method.</param>
sealed record SweepPanel(MetricColumn Metric, IReadOnlyList<SweepSeries> Series);

/// <summary>A method over the values of a key.</summary>
/// <param name="Method">Its heading.</param>
/// <param name="Cells">Its mean at each value; null where it has none.</param>
sealed record SweepSeries(string Method, IReadOnlyList<MeanWithError?> Cells);
