using CoPe.Experiments.Evaluation;
using CoPe.Experiments.Report;
using CoPe.Experiments.Runs.Recipes;

namespace CoPe.Experiments.Runs.Results;

/// <summary>
/// Figures as the report shows them: under the headings of methods and metrics, in the order in which a reader wants
/// them.
/// </summary>
static class ReportTables
{
    /// <summary>Columns of the table, the one the report puts first leading.</summary>
    static readonly Metric[] ColumnOrder =
    [
        Metric.RougeL,
        Metric.Rouge1,
        Metric.Meteor,
        Metric.Accuracy,
        Metric.MacroF1,
        Metric.Mae,
        Metric.Rmse,
        Metric.GoldNll,
        Metric.RewardRank,
        Metric.StyleDistance,
        Metric.LengthRatio,
        Metric.CopyRate,
    ];

    /// <summary>Pairs of methods that are tested, the most telling first.</summary>
    static readonly (string Method, string Baseline)[] ComparedPairs =
    [
        ("cope", "tam"),
        ("cope", "rag"),
        ("cope", "recent"),
        ("cope", "pag"),
        ("cope", "tam-all"),
        ("cope", "sft"),
        ("cope", "cope-sft"),
        ("sft", "tam"),
        ("sft", "tam-all"),
        ("dpo", "sft"),
        ("sft+cd", "sft"),
        ("tam", "base"),
        ("rag", "base"),
        ("recent", "base"),
        ("pag", "base"),
        ("tam-all", "tam"),
    ];

    /// <summary>The columns that a report has.</summary>
    public static IReadOnlyList<Metric> SelectMetrics(EvaluationReport report) =>
        [.. ColumnOrder.Where(metric => report.Methods.Any(method => method.Metrics.ContainsKey(metric.Name)))];

    /// <summary>The results table.</summary>
    public static ResultsTable CreateTable(EvaluationReport report, SeedAverage? seeds = null) =>
        new()
        {
            Methods = [.. report.Methods.Select(scores => PredictionMethod.GetTitle(scores.Method))],
            Metrics =
            [
                .. SelectMetrics(report)
                    .Select(metric => new MetricColumn
                    {
                        Name = metric.Title,
                        LowerIsBetter = metric.Direction == MetricDirection.Lower,
                        IsDescriptive = metric.Direction == MetricDirection.Neutral,
                        Description = metric.Description,
                    }),
            ],
            Cells =
            [
                .. from scores in report.Methods
                from metric in SelectMetrics(report)
                let found = scores.Metrics.GetValueOrDefault(metric.Name)
                where found is not null
                select new ResultCell
                {
                    Method = PredictionMethod.GetTitle(scores.Method),
                    Metric = metric.Title,
                    Mean = found.Mean,
                    StandardError = found.StandardError,
                    Count = found.Count,
                    OverUsers = scores.OverUsers.GetValueOrDefault(metric.Name),
                    SeedDeviation = seeds?.StandardDeviation(scores.Method, metric.Name),
                },
            ],
        };

    /// <summary>
    /// The pairs of methods that the report sets against each other; where none is known, the last against the first.
    /// </summary>
    public static IReadOnlyList<(string Method, string Baseline)> SelectPairs(EvaluationReport report)
    {
        var methods = report.Methods.Select(scores => scores.Method).ToList();
        List<(string, string)> known =
        [
            .. ComparedPairs.Where(pair => methods.Contains(pair.Method) && methods.Contains(pair.Baseline)),
        ];
        return known.Count > 0 || methods.Count < 2 ? known : [(methods[^1], methods[0])];
    }

    /// <summary>The same pairs by their headings.</summary>
    public static IReadOnlyList<MethodComparison> CreateComparisons(EvaluationReport report) =>
        [
            .. SelectPairs(report)
                .Select(pair => new MethodComparison
                {
                    Method = PredictionMethod.GetTitle(pair.Method),
                    Baseline = PredictionMethod.GetTitle(pair.Baseline),
                }),
        ];

    /// <summary>Each user's value of every column and method.</summary>
    public static IEnumerable<UserScore> CreateUserScores(EvaluationReport report) =>
        from scores in report.Methods
        from user in scores.Users
        from metric in SelectMetrics(report)
        where user.Values.ContainsKey(metric.Name)
        select new UserScore
        {
            User = user.UserId,
            Method = PredictionMethod.GetTitle(scores.Method),
            Metric = metric.Title,
            Value = user.Values[metric.Name],
        };
}
