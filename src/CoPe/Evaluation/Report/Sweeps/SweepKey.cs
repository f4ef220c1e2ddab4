namespace CoPe.Evaluation.Report.Sweeps;

/// <summary>One key of the recipe over its values.</summary>
public sealed record SweepKey
{
    /// <summary>The key, for example <c>decode.contrast</c>.</summary>
    public required string Key { get; init; }

    /// <summary>Its values, in the order of the axis.</summary>
    public required IReadOnlyList<string> Values { get; init; }

    /// <summary>Place of the chosen value.</summary>
    public required int Chosen { get; init; }

    /// <summary>Why it was chosen, as a sentence.</summary>
    public required string Choice { get; init; }

    /// <summary>Headings of the methods that the key leaves as they are: they stand in the table and are not drawn.</summary>
    public IReadOnlyList<string> Unmoved { get; init; } = [];

    /// <summary>One panel a metric.</summary>
    public required IReadOnlyList<SweepPanel> Panels { get; init; }
}
