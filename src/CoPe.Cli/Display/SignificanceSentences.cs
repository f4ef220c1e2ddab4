using CoPe.Experiments.Evaluation;
using CoPe.Experiments.Runs.Recipes;
using CoPe.Experiments.Runs.Results;

namespace CoPe.Cli.Display;

/// <summary>
/// What the tests of a run say, a sentence for each pair of methods that a reader asks about: which is better, or that
/// the figures carry no order.
/// </summary>
static class SignificanceSentences
{
    const double Level = 0.05;

    /// <summary>
    /// The sentences below their heading; none where it was not users that were resampled, or too few of them.
    /// </summary>
    /// <param name="tests">The tests in one metric.</param>
    /// <param name="metric">The metric.</param>
    public static IReadOnlyList<string> Create(IReadOnlyList<SignificanceLine> tests, Metric metric)
    {
        var methods = PredictionMethod.SortByTableOrder(
            tests.SelectMany(test => (string[])[test.Baseline, test.Method]).Distinct()
        );
        List<SignificanceLine> told =
        [
            .. ReportTables
                .SelectPairs([.. methods])
                .Select(pair => tests.FirstOrDefault(test => (test.Method, test.Baseline) == pair))
                .OfType<SignificanceLine>()
                .Where(test => test.Unit == "users" && CountUsers(test) >= PairedTest.MinUnitsForBootstrap),
        ];
        return told.Count == 0
            ? []
            :
            [
                $"In {metric.Title}, by users ({CountUsers(told[0])}), at p < .05 each:",
                .. told.Select(test => Describe(test, metric)),
                "",
            ];
    }

    static int CountUsers(SignificanceLine test) => test.Helped + test.Hurt + test.Equal;

    static string Describe(SignificanceLine test, Metric metric)
    {
        var (method, baseline) = (PredictionMethod.GetTitle(test.Method), PredictionMethod.GetTitle(test.Baseline));
        var figures = $"{DisplayFormat.Signed(test.Difference)}, p {DisplayFormat.PValue(test.BootstrapP)}";
        if (test.BootstrapP >= Level)
        {
            return $"- {method} and {baseline} do not differ significantly ({figures}).";
        }

        var isBetter = test.Difference < 0 == (metric.Direction == MetricDirection.Lower);
        return $"- {method} is {(isBetter ? "better" : "worse")} than {baseline} ({figures}; "
            + $"{test.Helped} users better, {test.Hurt} worse).";
    }
}
