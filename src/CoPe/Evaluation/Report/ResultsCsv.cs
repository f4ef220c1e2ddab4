using System.Globalization;

namespace CoPe.Evaluation.Report;

/// <summary>A results table as CSV (RFC 4180, but lines end with <c>\n</c>): one row per method and metric.</summary>
public static class ResultsCsv
{
    private static readonly char[] NeedsQuotes = [',', '"', '\r', '\n'];

    /// <summary>
    /// Writes <c>method,metric,mean,standard_error,n</c> and the measured cells, by method and then by metric in the table's order.
    /// Numbers are round-trip exact with a point; one that is not finite is left empty.
    /// </summary>
    public static void Write(ResultsTable table, TextWriter writer)
    {
        ArgumentNullException.ThrowIfNull(table);
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write("method,metric,mean,standard_error,n\n");
        foreach (var method in table.Methods)
            foreach (var metric in table.Metrics)
                if (table.Find(method, metric.Name) is { } cell)
                    writer.Write($"{Quote(method)},{Quote(metric.Name)},{Number(cell.Mean)},{Number(cell.StandardError)},{cell.Count.ToString(CultureInfo.InvariantCulture)}\n");
    }

    private static string Quote(string text) =>
        text.IndexOfAny(NeedsQuotes) < 0 ? text : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    private static string Number(double value) => double.IsFinite(value) ? value.ToString("R", CultureInfo.InvariantCulture) : "";
}
