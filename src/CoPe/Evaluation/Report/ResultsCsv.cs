using System.Globalization;

namespace CoPe.Evaluation.Report;

/// <summary>A results table as CSV: one row per method and metric.</summary>
public static class ResultsCsv
{
    static readonly string[] Heading = ["method", "metric", "mean", "standard_error", "n"];

    /// <summary>
    /// Writes <c>method,metric,mean,standard_error,n</c> and the measured cells, by method and then by metric in the table's order; a table over several seeds has the column <c>seed_sd</c> as well.
    /// Numbers are round-trip exact with a point; one that is not finite is left empty.
    /// </summary>
    public static void Write(ResultsTable table, TextWriter writer)
    {
        ArgumentNullException.ThrowIfNull(table);
        ArgumentNullException.ThrowIfNull(writer);
        var hasSeeds = table.Cells.Any(cell => cell.SeedDeviation is not null);
        writer.Write(CsvLine.Of(hasSeeds ? [.. Heading, "seed_sd"] : Heading));
        foreach (var method in table.Methods)
            foreach (var metric in table.Metrics)
                if (table.Find(method, metric.Name) is { } cell)
                    writer.Write(CsvLine.Of(Fields(cell, hasSeeds)));
    }

    /// <summary>Writes the tables of several tasks, with the task as the first column.</summary>
    public static void Write(IReadOnlyList<(string Task, ResultsTable Table)> tables, TextWriter writer)
    {
        ArgumentNullException.ThrowIfNull(tables);
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write(CsvLine.Of(["task", .. Heading]));
        foreach (var (task, table) in tables)
            foreach (var cell in table.Cells)
                writer.Write(CsvLine.Of([task, .. Fields(cell, hasSeeds: false)]));
    }

    static string[] Fields(ResultCell cell, bool hasSeeds)
    {
        string[] fields = [cell.Method, cell.Metric, CsvLine.Number(cell.Mean), CsvLine.Number(cell.StandardError), cell.Count.ToString(CultureInfo.InvariantCulture)];
        return hasSeeds ? [.. fields, CsvLine.Number(cell.SeedDeviation)] : fields;
    }
}
