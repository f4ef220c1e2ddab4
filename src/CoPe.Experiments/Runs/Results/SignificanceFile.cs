using System.Text.Json;
using CoPe.Experiments.Evaluation;
using CoPe.Experiments.Runs.Recipes;

namespace CoPe.Experiments.Runs.Results;

/// <summary>
/// The paired tests of a run, every method against every one before it in the table, and each user's figures, as files.
/// </summary>
static class SignificanceFile
{
    /// <summary>Writes the tests as JSON and CSV and the users' figures as CSV.</summary>
    /// <param name="report">The figures.</param>
    /// <param name="options">How it is tested.</param>
    /// <param name="run">Where to.</param>
    public static void Write(EvaluationReport report, PairedTestOptions options, RunDirectory run)
    {
        var lines = Compute(report, options);
        AtomicFile.WriteText(run.Significance, JsonSerializer.Serialize(lines, ResultsJson.Options) + "\n");
        AtomicFile.WriteText(
            run.SignificanceTable,
            string.Concat(
                lines
                    .Select(FormatRow)
                    .Prepend("method,baseline,metric,difference,low,high,bootstrap_p,sign_p,unit,helped,hurt,equal\n")
            )
        );
        AtomicFile.WriteText(
            run.UserResultsTable,
            writer =>
            {
                writer.Write("user,history_items,queries,method,metric,mean\n");
                foreach (var row in UserRows(report))
                {
                    writer.Write(row);
                }
            }
        );
    }

    /// <summary>The tests of every method against every one before it in the table.</summary>
    public static IReadOnlyList<SignificanceLine> Compute(EvaluationReport report, PairedTestOptions options) =>
        [.. MethodTests.Compute(report, MethodTests.AllPairs(report), options).Select(SignificanceLine.FromTest)];

    /// <summary>Reads the tests; none where the run has none.</summary>
    /// <param name="run">The run.</param>
    /// <exception cref="RunException">The file is not of this form.</exception>
    public static IReadOnlyList<SignificanceLine> Read(RunDirectory run)
    {
        if (!File.Exists(run.Significance))
        {
            return [];
        }

        return RunJson.Read<List<SignificanceLine>>(
            run.Significance,
            ResultsJson.Options,
            $"run 'cope evaluate --run {run.Name}' again"
        );
    }

    static string FormatRow(SignificanceLine line) =>
        CsvLine.Format(
            line.Method,
            line.Baseline,
            line.Metric,
            CsvLine.Number(line.Difference),
            CsvLine.Number(line.Low),
            CsvLine.Number(line.High),
            CsvLine.Number(line.BootstrapP),
            CsvLine.Number(line.SignP),
            line.Unit,
            CsvLine.Number(line.Helped),
            CsvLine.Number(line.Hurt),
            CsvLine.Number(line.Equal)
        );

    static IEnumerable<string> UserRows(EvaluationReport report) =>
        from scores in report.Methods
        from user in scores.Users
        from metric in Metric.All
        where user.Values.ContainsKey(metric.Name)
        select CsvLine.Format(
            user.UserId,
            CsvLine.Number(user.HistoryItems),
            CsvLine.Number(user.Queries),
            scores.Method,
            metric.Name,
            CsvLine.Number(user.Values[metric.Name])
        );
}

/// <summary>
/// A paired test of two methods of a run, as <c>significance.json</c> and <c>significance.csv</c> hold it.
/// </summary>
sealed record SignificanceLine
{
    /// <summary>The method tested.</summary>
    public required string Method { get; init; }

    /// <summary>The method it is tested against.</summary>
    public required string Baseline { get; init; }

    /// <summary>The metric's name.</summary>
    public required string Metric { get; init; }

    /// <summary>Mean of the method less mean of the baseline.</summary>
    public required double Difference { get; init; }

    /// <summary>Lower end of the 95 % bootstrap interval; null with fewer than two units.</summary>
    public double? Low { get; init; }

    /// <summary>Upper end of the 95 % bootstrap interval; null with fewer than two units.</summary>
    public double? High { get; init; }

    /// <summary>Two-sided p-value of the paired bootstrap.</summary>
    public required double BootstrapP { get; init; }

    /// <summary>Two-sided p-value of the sign test.</summary>
    public required double SignP { get; init; }

    /// <summary>What was drawn again and counted: <c>users</c> or <c>queries</c>.</summary>
    public required string Unit { get; init; }

    /// <summary>Units for which the method is better.</summary>
    public required int Helped { get; init; }

    /// <summary>Units for which it is worse.</summary>
    public required int Hurt { get; init; }

    /// <summary>Units for which both are the same.</summary>
    public required int Equal { get; init; }

    /// <summary>A test as a line.</summary>
    /// <param name="test">The test.</param>
    public static SignificanceLine FromTest(PairedComparison test)
    {
        return new()
        {
            Method = test.Method,
            Baseline = test.Baseline,
            Metric = test.Metric.Name,
            Difference = test.Difference,
            Low = Finite(test.Low),
            High = Finite(test.High),
            BootstrapP = test.BootstrapP,
            SignP = test.SignP,
            Unit = test.Unit == PairedUnit.Users ? "users" : "queries",
            Helped = test.Helped,
            Hurt = test.Hurt,
            Equal = test.Equal,
        };
    }

    static double? Finite(double value) => double.IsFinite(value) ? value : null;
}

/// <summary>Paired tests between the methods of one report.</summary>
static class MethodTests
{
    /// <summary>
    /// Tests pairs of methods on every metric that both have and of which one value can be better than another.
    /// </summary>
    public static IReadOnlyList<PairedComparison> Compute(
        EvaluationReport report,
        IEnumerable<(string Method, string Baseline)> pairs,
        PairedTestOptions options
    ) =>
        PairedTest.CompareAll(
            from pair in pairs
            from metric in Metric.All
            where metric.IsDirected
            let method = report.ScoresOf(pair.Method)
            let baseline = report.ScoresOf(pair.Baseline)
            where HasValues(method, metric) && HasValues(baseline, metric)
            select (method, baseline, metric),
            options
        );

    /// <summary>Every method against every one before it in the table.</summary>
    public static IEnumerable<(string Method, string Baseline)> AllPairs(EvaluationReport report) =>
        report.Methods.SelectMany(
            (method, place) => report.Methods.Take(place).Select(baseline => (method.Method, baseline.Method))
        );

    /// <summary>How a recipe tests.</summary>
    public static PairedTestOptions CreateOptions(Recipe recipe) =>
        recipe.Evaluate.Tests with
        {
            Seed = unchecked((int)recipe.Seed),
        };

    /// <summary>Whether a method has values of a metric, by query or by user, that can be paired.</summary>
    public static bool HasValues(MethodScores scores, Metric metric) =>
        scores.Queries.Any(query => query.Values.ContainsKey(metric.Name))
        || scores.Users.Any(user => user.Values.ContainsKey(metric.Name));
}
