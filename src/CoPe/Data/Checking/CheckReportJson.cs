using System.Text.Encodings.Web;
using System.Text.Json;

namespace CoPe.Data.Checking;

/// <summary>Reports of checks as JSON; docs/schemas/check.schema.json describes it.</summary>
public static class CheckReportJson
{
    static readonly JsonSerializerOptions Options = new()
    {
        WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        DefaultIgnoreCondition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull,
    };

    /// <summary>An array of reports.</summary>
    public static string Of(IEnumerable<CheckReport> reports) => JsonSerializer.Serialize(reports.Select(Report), Options);

    static object Report(CheckReport report) => new
    {
        report.Task,
        report.Findings.Errors,
        report.Findings.Warnings,
        Fixed = report.IsFixed,
        Files = report.Files.Select(file => new { file.File, file.Users, file.Items, file.Queries, Histories = Lengths(file.Histories) }),
        Words = report.Words.ToDictionary(pair => pair.Key, pair => Lengths(pair.Value)),
        Tokens = report.Tokens.ToDictionary(pair => pair.Key, pair => Lengths(pair.Value)),
        Languages = report.Languages.ToDictionary(),
        report.Truncations,
        Findings = report.Findings.Rules.Select(rule => new
        {
            Rule = rule.Name,
            Severity = rule.Severity == CheckSeverity.Error ? "error" : "warning",
            rule.Summary,
            rule.Fix,
            Count = report.Findings.CountOf(rule),
            Places = report.Findings.Of(rule).Select(finding => new { finding.Place.File, finding.Place.Line, finding.Place.User, finding.Place.Item, finding.Place.Field, finding.Detail }),
        }),
    };

    static object Lengths(TextLengths lengths) => new
    {
        lengths.Count,
        lengths.Min,
        lengths.Median,
        P95 = lengths.Percentile95,
        lengths.Max,
        Histogram = lengths.Histogram().Select(bucket => new { bucket.From, bucket.To, bucket.Count }),
    };
}
