namespace CoPe.Evaluation.Report.Sweeps;

/// <summary>A metric over the values of a key.</summary>
/// <param name="Metric">Name and direction.</param>
/// <param name="Series">One series a method.</param>
public sealed record SweepPanel(MetricColumn Metric, IReadOnlyList<SweepSeries> Series);
