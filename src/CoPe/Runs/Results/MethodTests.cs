using CoPe.Evaluation;
using CoPe.Evaluation.Report;
using CoPe.Runs.Recipes;

namespace CoPe.Runs.Results;

/// <summary>Paired tests between the methods of one report.</summary>
static class MethodTests
{
    /// <summary>Tests pairs of methods on every metric that both have and that has a better end. Pairs that share no value are left out.</summary>
    public static IReadOnlyList<PairedComparison> Of(EvaluationReport report, IEnumerable<(string Method, string Baseline)> pairs, IReadOnlyList<Metric> metrics, PairedTestOptions options) =>
        PairedTest.CompareAll(
            from pair in pairs
            from metric in metrics
            where metric.Direction != MetricDirection.Neutral
            let method = report.Of(pair.Method)
            let baseline = report.Of(pair.Baseline)
            where Has(method, metric) && Has(baseline, metric)
            select (method, baseline, metric), options);

    /// <summary>Every method against every one before it in the table.</summary>
    public static IEnumerable<(string Method, string Baseline)> EveryPair(EvaluationReport report) =>
        report.Methods.SelectMany((method, place) => report.Methods.Take(place).Select(baseline => (method.Method, baseline.Method)));

    /// <summary>How a recipe tests.</summary>
    public static PairedTestOptions OptionsOf(Recipe recipe) => new() { Resamples = recipe.Evaluate.Resamples, Seed = unchecked((int)recipe.Seed) };

    /// <summary>The tests of a report's comparisons, as its table shows them.</summary>
    public static IReadOnlyList<SignificanceRow> Rows(EvaluationReport report, Recipe recipe) =>
    [
        .. Of(report, ReportFigures.Compared(report), ReportFigures.Columns(report), OptionsOf(recipe)).Select(test => new SignificanceRow
        {
            Method = PredictionMethod.TitleOf(test.Method), Baseline = PredictionMethod.TitleOf(test.Baseline), Metric = test.Metric.Title,
            Difference = test.Difference, Low = test.Low, High = test.High, BootstrapP = test.BootstrapP, SignP = test.SignP,
            UsersHelped = test.Helped, UsersHurt = test.Hurt, UsersEqual = test.Equal,
        }),
    ];

    /// <summary>Whether a method has values of a metric, by query or by user, that can be paired.</summary>
    public static bool Has(MethodScores scores, Metric metric) => scores.Queries.Any(query => query.Values.ContainsKey(metric.Name)) || scores.Users.Any(user => user.Values.ContainsKey(metric.Name));
}
