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

    /// <summary>What the parts of the method add to SFT at each value, in the metric of the first panel.</summary>
    public IReadOnlyList<SweepGain> Gains { get; init; } = [];
}

/// <summary>What a part of the method adds to SFT at a value of a key.</summary>
/// <param name="Value">The value.</param>
/// <param name="Method">The method's heading.</param>
sealed record SweepGain(string Value, string Method)
{
    /// <summary>Nats a token between expert and amateur; null where they were not measured.</summary>
    public double? Distance { get; init; }

    /// <summary>Mean of the method less that of SFT.</summary>
    public required double Difference { get; init; }

    /// <summary>Two-sided p-value of the paired bootstrap.</summary>
    public required double P { get; init; }

    /// <summary>Users (queries, where there are no users) for whom the method is better.</summary>
    public required int Helped { get; init; }

    /// <summary>Those for whom it is worse.</summary>
    public required int Hurt { get; init; }
}

/// <summary>A metric over the values of a key.</summary>
/// <param name="Metric">Name and direction.</param>
/// <param name="Series">One series a method.</param>
sealed record SweepPanel(MetricColumn Metric, IReadOnlyList<SweepSeries> Series);

/// <summary>A method over the values of a key.</summary>
/// <param name="Method">Its heading.</param>
/// <param name="Cells">Its mean at each value; null where it has none.</param>
sealed record SweepSeries(string Method, IReadOnlyList<MeanWithError?> Cells);
