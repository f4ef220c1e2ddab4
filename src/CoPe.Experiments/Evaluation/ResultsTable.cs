using System.Buffers;
using System.Globalization;

namespace CoPe.Experiments.Evaluation;

/// <summary>
/// Methods as rows, metrics as columns: the one table behind the JSON and CSV files, the terminal and the report.
/// </summary>
public sealed record ResultsTable
{
    /// <summary>A table with nothing in it.</summary>
    public static ResultsTable Empty { get; } = new();

    /// <summary>Methods, in the order of the rows.</summary>
    public IReadOnlyList<string> Methods { get; init; } = [];

    /// <summary>Metrics, in the order of the columns.</summary>
    public IReadOnlyList<MetricColumn> Metrics { get; init; } = [];

    /// <summary>The measured cells; a missing one is shown as a dash.</summary>
    public IReadOnlyList<ResultCell> Cells { get; init; } = [];

    /// <summary>True where there is no method, no metric or no cell.</summary>
    public bool IsEmpty => Methods.Count == 0 || Metrics.Count == 0 || Cells.Count == 0;

    /// <summary>The cell of a method and a metric.</summary>
    /// <exception cref="KeyNotFoundException">It was not measured.</exception>
    public ResultCell this[string method, string metric] =>
        Find(method, metric)
        ?? throw new KeyNotFoundException($"The table has no '{metric}' of method '{method}'; see {nameof(Find)}.");

    /// <summary>The cell of a method and a metric, or null where it was not measured.</summary>
    public ResultCell? Find(string method, string metric) =>
        Cells.FirstOrDefault(cell => cell.Method == method && cell.Metric == metric);

    /// <summary>Every figure of a report, by the names in files.</summary>
    /// <param name="report">The scores.</param>
    /// <param name="seeds">How far the seed moves them; null where there was one.</param>
    public static ResultsTable Create(EvaluationReport report, SeedAverage? seeds = null)
    {
        ArgumentNullException.ThrowIfNull(report);
        return FromCells(
            [.. report.Methods.Select(scores => scores.Method)],
            [
                .. from scores in report.Methods
                from metric in scores.Metrics
                select new ResultCell
                {
                    Method = scores.Method,
                    Metric = metric.Key,
                    Mean = metric.Value.Mean,
                    StandardError = metric.Value.StandardError,
                    Count = metric.Value.Count,
                    OverUsers = scores.OverUsers.GetValueOrDefault(metric.Key),
                    SeedDeviation = seeds?.StandardDeviation(scores.Method, metric.Key),
                },
            ]
        );
    }

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
        if (means.Count == 0 || metric.IsDescriptive)
        {
            return null;
        }

        var (lowest, highest) = (means.Min(), means.Max());
        if (means.Count > 1 && lowest == highest)
        {
            return null;
        }

        return metric.LowerIsBetter ? lowest : highest;
    }

    /// <summary>A table of cells by the names in files, with a column for each metric that has a cell.</summary>
    internal static ResultsTable FromCells(IReadOnlyList<string> methods, IReadOnlyList<ResultCell> cells)
    {
        var measured = cells.Select(cell => cell.Metric).ToHashSet(StringComparer.Ordinal);
        var metrics = Metric.All.Where(metric => measured.Contains(metric.Name));
        return new()
        {
            Methods = methods,
            Metrics = [.. metrics.Select(metric => MetricColumn.Create(metric, metric.Name))],
            Cells = cells,
        };
    }

    /// <summary>The same figures under headings for readers, in the columns given.</summary>
    /// <param name="metrics">The columns.</param>
    /// <param name="getMethodTitle">Name of a method to its heading.</param>
    internal ResultsTable WithTitles(IReadOnlyList<Metric> metrics, Func<string, string> getMethodTitle) =>
        new()
        {
            Methods = [.. Methods.Select(getMethodTitle)],
            Metrics = [.. metrics.Select(metric => MetricColumn.Create(metric, metric.Title))],
            Cells =
            [
                .. from cell in Cells
                join metric in metrics on cell.Metric equals metric.Name
                select cell with
                {
                    Method = getMethodTitle(cell.Method),
                    Metric = metric.Title,
                },
            ],
        };
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

    /// <summary>A metric under its name or its heading.</summary>
    internal static MetricColumn Create(Metric metric, string name) =>
        new()
        {
            Name = name,
            LowerIsBetter = metric.Direction == MetricDirection.Lower,
            IsDescriptive = !metric.IsDirected,
            Description = metric.Description,
        };
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

    /// <summary>Mean, standard error and count over queries.</summary>
    internal MeanWithError OverQueries => new(Mean, StandardError, Count);
}

/// <summary>Results tables as CSV: a row per method and metric.</summary>
public static class ResultsCsv
{
    const string CellHeading = "method,metric,mean,standard_error,n";

    /// <summary>
    /// Writes <c>method,metric,mean,standard_error,n</c> and the measured cells, by method and then by metric in the
    /// table's order; a table over several seeds has the column <c>seed_sd</c> as well.
    /// Numbers are round-trip exact with a point; one that is not finite is left empty.
    /// </summary>
    /// <param name="table">The results.</param>
    /// <param name="writer">Where to.</param>
    public static void Write(ResultsTable table, TextWriter writer)
    {
        ArgumentNullException.ThrowIfNull(table);
        ArgumentNullException.ThrowIfNull(writer);
        var hasSeeds = table.Cells.Any(cell => cell.SeedDeviation is not null);
        var cells = from method in table.Methods from metric in table.Metrics select table.Find(method, metric.Name);
        WriteHeading(writer, prefix: "", hasSeeds);
        WriteCells(writer, [], cells.OfType<ResultCell>(), hasSeeds);
    }

    /// <summary>Writes the tables of several tasks, with the task as the first column.</summary>
    /// <param name="tables">Task name to its results.</param>
    /// <param name="writer">Where to.</param>
    public static void Write(IReadOnlyDictionary<string, ResultsTable> tables, TextWriter writer)
    {
        ArgumentNullException.ThrowIfNull(tables);
        ArgumentNullException.ThrowIfNull(writer);
        WriteHeading(writer, "task,", hasSeeds: false);
        foreach (var (task, table) in tables)
        {
            WriteCells(writer, [task], table.Cells, hasSeeds: false);
        }
    }

    /// <summary>Writes the names of the columns, those of <paramref name="prefix"/> first.</summary>
    internal static void WriteHeading(TextWriter writer, string prefix, bool hasSeeds) =>
        writer.Write($"{prefix}{CellHeading}{(hasSeeds ? ",seed_sd" : "")}\n");

    /// <summary>Writes a row per cell, each behind the values of <paramref name="prefix"/>.</summary>
    internal static void WriteCells(
        TextWriter writer,
        IReadOnlyList<string> prefix,
        IEnumerable<ResultCell> cells,
        bool hasSeeds
    )
    {
        foreach (var cell in cells)
        {
            List<string> fields =
            [
                .. prefix,
                cell.Method,
                cell.Metric,
                CsvLine.Number(cell.Mean),
                CsvLine.Number(cell.StandardError),
                CsvLine.Number(cell.Count),
            ];
            if (hasSeeds)
            {
                fields.Add(CsvLine.Number(cell.SeedDeviation));
            }

            writer.Write(CsvLine.Format(fields));
        }
    }
}

/// <summary>
/// Lines of CSV (RFC 4180, but lines end with <c>\n</c>). A text that a spreadsheet would take for a formula is written
/// behind an apostrophe.
/// </summary>
static class CsvLine
{
    /// <summary>A semicolon and a tab part cells where a spreadsheet's language has no comma for that.</summary>
    static readonly SearchValues<char> NeedsQuotes = SearchValues.Create(",;\"\t\r\n");

    /// <summary>The wide forms are the same to a spreadsheet in Japanese.</summary>
    static readonly char[] FormulaStarts = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

    /// <summary>A line, quoted where it must be.</summary>
    public static string Format(params IEnumerable<string> fields) =>
        string.Join(',', fields.Select(field => Quote(Defuse(field)))) + "\n";

    /// <summary>A number, round-trip exact with a point; one that is not there or not finite is empty.</summary>
    public static string Number(double? value) =>
        value is { } number && double.IsFinite(number) ? number.ToString("R", CultureInfo.InvariantCulture) : "";

    /// <summary>A count.</summary>
    public static string Number(int count) => count.ToString(CultureInfo.InvariantCulture);

    /// <summary>
    /// No formula; a number, which may begin with a sign, is none. A text that has an apostrophe there already gets
    /// another one, so that the text is what is left without the first.
    /// </summary>
    static string Defuse(string text)
    {
        var isNumber =
            double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            && double.IsFinite(number);
        var start = text.AsSpan().TrimStart('\'');
        return start.Length > 0 && FormulaStarts.Contains(start[0]) && !isNumber ? "'" + text : text;
    }

    static string Quote(string text)
    {
        if (!text.AsSpan().ContainsAny(NeedsQuotes))
        {
            return text;
        }

        return $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }
}
