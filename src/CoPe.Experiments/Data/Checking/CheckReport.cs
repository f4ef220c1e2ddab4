using System.Text.Encodings.Web;
using System.Text.Json;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Data.Checking;

/// <summary>The result of a check.</summary>
sealed record CheckReport
{
    /// <summary>The task's name.</summary>
    public required string Task { get; init; }

    /// <summary>The files of users, test users first.</summary>
    public required IReadOnlyList<CheckedFile> Files { get; init; }

    /// <summary>What was found.</summary>
    public required CheckFindings Findings { get; init; }

    /// <summary>
    /// Lengths by kind: <c>history input</c>, <c>history answer</c>, <c>query</c>, <c>gold</c>, in words.
    /// </summary>
    public required IReadOnlyDictionary<string, TextLengths> Words { get; init; }

    /// <summary>
    /// Tokens of whole examples by stage: prompt and answer of history items and training queries, prompts of test
    /// queries; empty without a model.
    /// </summary>
    public required IReadOnlyDictionary<string, TextLengths> Tokens { get; init; }

    /// <summary>Texts by language, the commonest first.</summary>
    public required IReadOnlyList<KeyValuePair<string, int>> Languages { get; init; }

    /// <summary>What a run will cut off, in words; empty where it is nothing.</summary>
    public required IReadOnlyList<string> Truncations { get; init; }

    /// <summary>A clean copy was written.</summary>
    public bool IsFixed { get; init; }
}

/// <summary>What a file of users holds.</summary>
sealed record CheckedFile
{
    /// <summary>The file.</summary>
    public required string File { get; init; }

    /// <summary>Users that can be used.</summary>
    public int Users { get; set; }

    /// <summary>Their history items.</summary>
    public int Items { get; set; }

    /// <summary>Their queries.</summary>
    public int Queries { get; set; }

    /// <summary>Sizes of their histories.</summary>
    public TextLengths Histories { get; } = new();
}

/// <summary>What was found, by rule: the first findings of each, and how many there are.</summary>
sealed class CheckFindings(int kept)
{
    readonly Dictionary<CheckRule, List<CheckFinding>> _first = [];
    readonly Dictionary<CheckRule, int> _counts = [];

    /// <summary>Errors found.</summary>
    public int Errors => Count(CheckSeverity.Error);

    /// <summary>Warnings found.</summary>
    public int Warnings => Count(CheckSeverity.Warning);

    /// <summary>Rules with findings, in the order of <see cref="CheckRules.All"/>.</summary>
    public IEnumerable<CheckRule> Rules => CheckRules.All.Where(_counts.ContainsKey);

    /// <summary>How often a rule found something.</summary>
    public int CountOf(CheckRule rule) => _counts.GetValueOrDefault(rule);

    /// <summary>The first findings of a rule.</summary>
    public IReadOnlyList<CheckFinding> FirstOf(CheckRule rule) => _first.TryGetValue(rule, out var found) ? found : [];

    /// <summary>Adds a finding.</summary>
    public void Add(CheckRule rule, DataFileLocation location, string detail)
    {
        _counts[rule] = _counts.GetValueOrDefault(rule) + 1;
        if (!_first.TryGetValue(rule, out var findings))
        {
            _first[rule] = findings = [];
        }

        if (findings.Count < kept)
        {
            findings.Add(new(rule, location, detail));
        }
    }

    int Count(CheckSeverity severity) => _counts.Where(pair => pair.Key.Severity == severity).Sum(pair => pair.Value);
}

/// <summary>One finding of a rule.</summary>
/// <param name="Rule">The rule.</param>
/// <param name="Location">File, user, item and field.</param>
/// <param name="Detail">What exactly was found.</param>
sealed record CheckFinding(CheckRule Rule, DataFileLocation Location, string Detail)
{
    /// <summary>Location and detail in one line.</summary>
    public override string ToString() => $"{Location}: {Detail}";
}

/// <summary>Reports of checks as JSON; docs/schemas/check.schema.json describes it.</summary>
static class CheckReportJson
{
    static readonly JsonSerializerOptions Options = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        DefaultIgnoreCondition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull,
    };

    /// <summary>An array of reports.</summary>
    public static string Serialize(IEnumerable<CheckReport> reports) =>
        JsonSerializer.Serialize(reports.Select(Describe), Options);

    static object Describe(CheckReport report) =>
        new
        {
            report.Task,
            report.Findings.Errors,
            report.Findings.Warnings,
            Fixed = report.IsFixed,
            Files = report.Files.Select(file => new
            {
                file.File,
                file.Users,
                file.Items,
                file.Queries,
                Histories = Describe(file.Histories),
            }),
            Words = report.Words.ToDictionary(pair => pair.Key, pair => Describe(pair.Value)),
            Tokens = report.Tokens.ToDictionary(pair => pair.Key, pair => Describe(pair.Value)),
            Languages = report.Languages.ToDictionary(),
            report.Truncations,
            Findings = report.Findings.Rules.Select(rule => new
            {
                Rule = rule.Name,
                Severity = rule.Severity == CheckSeverity.Error ? "error" : "warning",
                rule.Summary,
                rule.Fix,
                Count = report.Findings.CountOf(rule),
                Places = report
                    .Findings.FirstOf(rule)
                    .Select(finding => new
                    {
                        finding.Location.File,
                        finding.Location.Line,
                        finding.Location.User,
                        finding.Location.Item,
                        finding.Location.Field,
                        finding.Detail,
                    }),
            }),
        };

    static object Describe(TextLengths lengths) =>
        new
        {
            lengths.Count,
            lengths.Min,
            lengths.Median,
            P95 = lengths.Percentile95,
            lengths.Max,
            Histogram = lengths
                .Histogram()
                .Select(bucket => new
                {
                    bucket.From,
                    bucket.To,
                    bucket.Count,
                }),
        };
}
