using System.Globalization;

namespace CoPe.Experiments.Evaluation;

/// <summary>
/// Methods as rows, metrics as columns: the one table behind the terminal, the CSV file and the report.
/// </summary>
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
    public static ResultsTable Create(EvaluationReport report, SeedAverage? seeds = null)
    {
        ArgumentNullException.ThrowIfNull(report);
        var measured = Metric
            .All.Where(metric => report.Methods.Any(scores => scores.Metrics.ContainsKey(metric.Name)))
            .ToList();
        return new()
        {
            Methods = [.. report.Methods.Select(scores => scores.Method)],
            Metrics =
            [
                .. measured.Select(metric => new MetricColumn
                {
                    Name = metric.Name,
                    LowerIsBetter = metric.Direction == MetricDirection.Lower,
                    IsDescriptive = metric.Direction == MetricDirection.Neutral,
                    Description = metric.Description,
                }),
            ],
            Cells =
            [
                .. from scores in report.Methods
                from metric in scores.Metrics
                let value = metric.Value
                select new ResultCell
                {
                    Method = scores.Method,
                    Metric = metric.Key,
                    Mean = value.Mean,
                    StandardError = value.StandardError,
                    Count = value.Count,
                    SeedDeviation = seeds?.StandardDeviation(scores.Method, metric.Key),
                },
            ],
        };
    }

    /// <summary>True where there is no method, no metric or no cell.</summary>
    public bool IsEmpty => Methods.Count == 0 || Metrics.Count == 0 || Cells.Count == 0;

    /// <summary>The cell of a method and a metric, or null where it was not measured.</summary>
    public ResultCell? Find(string method, string metric) =>
        Cells.FirstOrDefault(cell => cell.Method == method && cell.Metric == metric);

    /// <summary>
    /// The best mean of a metric over all methods, or null where there is none: no method has one, all have the same,
    /// or the metric only describes.
    /// </summary>
    public double? Best(MetricColumn metric)
    {
        ArgumentNullException.ThrowIfNull(metric);
        var means = Cells
            .Where(cell => cell.Metric == metric.Name && double.IsFinite(cell.Mean))
            .Select(cell => cell.Mean)
            .ToList();
        return means.Count == 0 || metric.IsDescriptive || (means.Count > 1 && means.Min() == means.Max()) ? null
            : metric.LowerIsBetter ? means.Min()
            : means.Max();
    }
}

/// <summary>A metric as a column of a table and as a panel of the report.</summary>
public sealed record MetricColumn
{
    /// <summary>Name, as it is in <see cref="ResultCell.Metric"/> and is shown, for example <c>ROUGE-L</c>.</summary>
    public required string Name { get; init; }

    /// <summary>True where a smaller number is the better one, as for MAE; bold face and gains follow it.</summary>
    public bool LowerIsBetter { get; init; }

    /// <summary>
    /// True where a figure only describes the texts, as their length ratio does: it has no best value and no gains.
    /// </summary>
    public bool IsDescriptive { get; init; }

    /// <summary>What it measures, in a line for the reader; may be empty.</summary>
    public string Description { get; init; } = "";
}

/// <summary>Mean of one metric of one method over its queries.</summary>
public sealed record ResultCell
{
    /// <summary>Method, for example <c>CoPe</c>.</summary>
    public required string Method { get; init; }

    /// <summary>Metric, for example <c>ROUGE-L</c>.</summary>
    public required string Metric { get; init; }

    /// <summary>Arithmetic mean; NaN where nothing could be measured, shown as a dash.</summary>
    public required double Mean { get; init; }

    /// <summary>Standard error of the mean; NaN or 0 where it is unknown, and then it is not drawn.</summary>
    public double StandardError { get; init; } = double.NaN;

    /// <summary>Number of values averaged.</summary>
    public int Count { get; init; }

    /// <summary>Mean and standard error over users, each user one value; null where users are not known.</summary>
    public MeanWithError? OverUsers { get; init; }

    /// <summary>Standard deviation of the mean over the seeds of a recipe; null where there was one seed.</summary>
    public double? SeedDeviation { get; init; }
}

/// <summary>A results table as CSV: one row per method and metric.</summary>
public static class ResultsCsv
{
    static readonly string[] Heading = ["method", "metric", "mean", "standard_error", "n"];

    /// <summary>
    /// Writes <c>method,metric,mean,standard_error,n</c> and the measured cells, by method and then by metric in the
    /// table's order; a table over several seeds has the column <c>seed_sd</c> as well.
    /// Numbers are round-trip exact with a point; one that is not finite is left empty.
    /// </summary>
    public static void Write(ResultsTable table, TextWriter writer)
    {
        ArgumentNullException.ThrowIfNull(table);
        ArgumentNullException.ThrowIfNull(writer);
        var hasSeeds = table.Cells.Any(cell => cell.SeedDeviation is not null);
        writer.Write(CsvLine.Format(hasSeeds ? [.. Heading, "seed_sd"] : Heading));
        foreach (var method in table.Methods)
        {
            foreach (var metric in table.Metrics)
            {
                if (table.Find(method, metric.Name) is { } cell)
                {
                    writer.Write(CsvLine.Format(Fields(cell, hasSeeds)));
                }
            }
        }
    }

    /// <summary>Writes the tables of several tasks, with the task as the first column.</summary>
    public static void Write(IReadOnlyList<(string Task, ResultsTable Table)> tables, TextWriter writer)
    {
        ArgumentNullException.ThrowIfNull(tables);
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write(CsvLine.Format(["task", .. Heading]));
        foreach (var (task, table) in tables)
        {
            foreach (var cell in table.Cells)
            {
                writer.Write(CsvLine.Format([task, .. Fields(cell, hasSeeds: false)]));
            }
        }
    }

    static string[] Fields(ResultCell cell, bool hasSeeds)
    {
        string[] fields =
        [
            cell.Method,
            cell.Metric,
            CsvLine.Number(cell.Mean),
            CsvLine.Number(cell.StandardError),
            cell.Count.ToString(CultureInfo.InvariantCulture),
        ];
        return hasSeeds ? [.. fields, CsvLine.Number(cell.SeedDeviation)] : fields;
    }
}

/// <summary>Lines of CSV (RFC 4180, but lines end with <c>\n</c>).</summary>
static class CsvLine
{
    static readonly char[] NeedsQuotes = [',', '"', '\r', '\n'];

    /// <summary>A line, quoted where it must be.</summary>
    public static string Format(params IEnumerable<string> fields) => string.Join(',', fields.Select(Quote)) + "\n";

    /// <summary>A number, round-trip exact with a point; one that is not there or not finite is empty.</summary>
    public static string Number(double? value) =>
        value is { } number && double.IsFinite(number) ? number.ToString("R", CultureInfo.InvariantCulture) : "";

    static string Quote(string text) =>
        text.IndexOfAny(NeedsQuotes) < 0 ? text : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
