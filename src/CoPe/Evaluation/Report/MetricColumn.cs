namespace CoPe.Evaluation.Report;

/// <summary>A metric as a column of a table and as a panel of the report.</summary>
public sealed record MetricColumn
{
    /// <summary>Name, as it is in <see cref="ResultCell.Metric"/> and is shown, for example <c>ROUGE-L</c>.</summary>
    public required string Name { get; init; }

    /// <summary>True where a smaller number is the better one, as for MAE; bold face and gains follow it.</summary>
    public bool LowerIsBetter { get; init; }

    /// <summary>True where a figure only describes the texts, as their length ratio does: it has no best value and no gains.</summary>
    public bool Descriptive { get; init; }

    /// <summary>What it measures, in a line for the reader; may be empty.</summary>
    public string Meaning { get; init; } = "";
}
