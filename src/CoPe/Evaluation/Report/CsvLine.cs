using System.Globalization;

namespace CoPe.Evaluation.Report;

/// <summary>Lines of CSV (RFC 4180, but lines end with <c>\n</c>).</summary>
static class CsvLine
{
    static readonly char[] NeedsQuotes = [',', '"', '\r', '\n'];

    /// <summary>A line, quoted where it must be.</summary>
    public static string Of(params IEnumerable<string> fields) => string.Join(',', fields.Select(Quote)) + "\n";

    /// <summary>A number, round-trip exact with a point; one that is not there or not finite is empty.</summary>
    public static string Number(double? value) => value is { } number && double.IsFinite(number) ? number.ToString("R", CultureInfo.InvariantCulture) : "";

    static string Quote(string text) => text.IndexOfAny(NeedsQuotes) < 0 ? text : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
