using CoPe.Experiments.Evaluation;
using CoPe.Experiments.Report;
using CoPe.Experiments.Runs.Recipes;

namespace CoPe.Experiments.Runs.Results;

/// <summary>
/// Scores as the report shows them: under the headings of methods and metrics, in the order in which a reader wants
/// them.
/// </summary>
static class ReportTables
{
    /// <summary>Pairs of methods that the report compares, the most telling first.</summary>
    static readonly (string Method, string Baseline)[] ComparedPairs =
    [
        ("cope", "tam"),
        ("cope", "rag"),
        ("cope", "recent"),
        ("cope", "pag"),
        ("cope", "tam-all"),
        ("cope", "sft"),
        ("cope", "sft+cd"),
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

    /// <summary>The columns of a report, that of the headline first.</summary>
    public static IReadOnlyList<Metric> SelectMetrics(EvaluationReport report) =>
        [
            .. Metric
                .All.Where(metric => metric.ReportPosition is not null)
                .Where(metric => report.Methods.Any(method => method.Metrics.ContainsKey(metric.Name)))
                .OrderBy(metric => metric.ReportPosition),
        ];

    /// <summary>The results table.</summary>
    public static ResultsTable CreateTable(EvaluationReport report, SeedAverage? seeds = null) =>
        ResultsTable.Create(report, seeds).WithTitles(SelectMetrics(report), PredictionMethod.GetTitle);

    /// <summary>
    /// The pairs of methods that the report compares; where none of the usual ones is there, the last against the
    /// first.
    /// </summary>
    public static IReadOnlyList<(string Method, string Baseline)> SelectPairs(EvaluationReport report) =>
        SelectPairs([.. report.Methods.Select(scores => scores.Method)]);

    /// <summary>The same of methods by name, in the order of the table.</summary>
    public static IReadOnlyList<(string Method, string Baseline)> SelectPairs(IReadOnlyList<string> methods)
    {
        var pairs = ComparedPairs
            .Where(pair => methods.Contains(pair.Method) && methods.Contains(pair.Baseline))
            .ToList();
        if (pairs.Count == 0 && methods.Count >= 2)
        {
            pairs.Add((methods[^1], methods[0]));
        }

        return pairs;
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

    /// <summary>The tests of these pairs in the columns of the report, out of all tests of a run.</summary>
    public static IReadOnlyList<SignificanceRow> SelectTests(
        EvaluationReport report,
        IReadOnlyList<SignificanceLine> tests
    ) =>
        [
            .. from pair in SelectPairs(report)
            from metric in SelectMetrics(report)
            let test = tests.FirstOrDefault(test =>
                test.Method == pair.Method && test.Baseline == pair.Baseline && test.Metric == metric.Name
            )
            where test is not null
            select CreateRow(test, metric),
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

    static SignificanceRow CreateRow(SignificanceLine test, Metric metric) =>
        new()
        {
            Method = PredictionMethod.GetTitle(test.Method),
            Baseline = PredictionMethod.GetTitle(test.Baseline),
            Metric = metric.Title,
            Difference = test.Difference,
            Low = test.Low ?? double.NaN,
            High = test.High ?? double.NaN,
            BootstrapP = test.BootstrapP,
            SignP = test.SignP,
            UsersHelped = test.Helped,
            UsersHurt = test.Hurt,
            UsersEqual = test.Equal,
        };
}
