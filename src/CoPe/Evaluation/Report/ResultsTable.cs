namespace CoPe.Evaluation.Report;

/// <summary>Methods as rows, metrics as columns: the one table behind the terminal, the CSV file and the report.</summary>
public sealed record ResultsTable
{
    /// <summary>A table with nothing in it.</summary>
    public static ResultsTable Empty { get; } = new();

    /// <summary>Methods, in the order of the rows.</summary>
    public IReadOnlyList<string> Methods { get; init; } = [];

    /// <summary>Metrics, in the order of the columns.</summary>
    public IReadOnlyList<MetricColumn> Metrics { get; init; } = [];

    /// <summary>The measured cells, in any order; a missing cell is shown as a dash.</summary>
    public IReadOnlyList<ResultCell> Cells { get; init; } = [];

    /// <summary>Every figure of a report, by the names that files carry.</summary>
    /// <param name="report">The figures.</param>
    /// <param name="seeds">How far the seed moves them; null where there was one.</param>
    public static ResultsTable Of(EvaluationReport report, SeedAverage? seeds = null)
    {
        ArgumentNullException.ThrowIfNull(report);
        var measured = Metric.All.Where(metric => report.Methods.Any(scores => scores.Metrics.ContainsKey(metric.Name))).ToList();
        return new()
        {
            Methods = [.. report.Methods.Select(scores => scores.Method)],
            Metrics = [.. measured.Select(metric => new MetricColumn
            {
                Name = metric.Name, LowerIsBetter = metric.Direction == MetricDirection.Lower, Descriptive = metric.Direction == MetricDirection.Neutral, Meaning = metric.Meaning,
            })],
            Cells =
            [
                .. from scores in report.Methods
                   from metric in scores.Metrics
                   let value = metric.Value
                   select new ResultCell
                   {
                       Method = scores.Method, Metric = metric.Key, Mean = value.Mean, StandardError = value.StandardError, Count = value.Count,
                       SeedDeviation = seeds?.DeviationOf(scores.Method, metric.Key),
                   },
            ],
        };
    }

    /// <summary>True where there is no method, no metric or no cell.</summary>
    public bool IsEmpty => Methods.Count == 0 || Metrics.Count == 0 || Cells.Count == 0;

    /// <summary>The cell of a method and a metric, or null where it was not measured.</summary>
    public ResultCell? Find(string method, string metric) =>
        Cells.FirstOrDefault(cell => cell.Method == method && cell.Metric == metric);

    /// <summary>The best mean of a metric over all methods, or null where there is none: no method has one, all have the same, or the metric only describes.</summary>
    public double? Best(MetricColumn metric)
    {
        ArgumentNullException.ThrowIfNull(metric);
        var means = Cells.Where(cell => cell.Metric == metric.Name && double.IsFinite(cell.Mean)).Select(cell => cell.Mean).ToList();
        return means.Count == 0 || metric.Descriptive || (means.Count > 1 && means.Min() == means.Max()) ? null : metric.LowerIsBetter ? means.Min() : means.Max();
    }
}
