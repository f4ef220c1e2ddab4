using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using CoPe.Experiments.Evaluation;
using CoPe.Experiments.Runs.Recipes;

namespace CoPe.Experiments.Runs.Results;

/// <summary>
/// Several runs of one task beside each other, each tested against the first where both answered the same queries.
/// </summary>
public sealed record RunComparison
{
    /// <summary>The runs, in the order given.</summary>
    public required IReadOnlyList<RunResults> Runs { get; init; }

    /// <summary>Each method that a run shares with the first, on each metric that both have.</summary>
    public required IReadOnlyList<RunDifference> Differences { get; init; }

    /// <summary>Why runs could not be tested against the first.</summary>
    public required IReadOnlyList<string> Unpaired { get; init; }

    /// <summary>Methods of any of the runs, in the order of tables.</summary>
    public IReadOnlyList<string> Methods =>
        [
            .. PredictionMethod.SortByTableOrder(
                Runs.SelectMany(run => run.Report.Methods).Select(scores => scores.Method).Distinct()
            ),
        ];

    /// <summary>Compares runs.</summary>
    /// <param name="runs">Two or more runs of one task.</param>
    /// <param name="options">How they are tested; null takes the defaults.</param>
    /// <exception cref="RunException">They are of several tasks.</exception>
    public static RunComparison Compute(IReadOnlyList<RunResults> runs, PairedTestOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(runs);
        if (runs.FirstOrDefault(run => run.Task.Name != runs[0].Task.Name) is { } other)
        {
            throw new RunException(
                $"{runs[0].Name} is a run of {runs[0].Task.Name}, {other.Name} one of {other.Task.Name}: compare runs of one task"
            );
        }

        var reasons = runs.Skip(1).ToDictionary(run => run, run => run.ExplainDifference(runs[0]));
        return new()
        {
            Runs = runs,
            Differences =
            [
                .. reasons
                    .Where(pair => pair.Value is null)
                    .SelectMany(pair => CompareMethods(pair.Key, runs[0], options ?? new())),
            ],
            Unpaired =
            [
                .. reasons
                    .Where(pair => pair.Value is not null)
                    .Select(pair => $"{pair.Key.Name} is not tested against {runs[0].Name}: {pair.Value}"),
            ],
        };
    }

    static IEnumerable<RunDifference> CompareMethods(RunResults run, RunResults baseline, PairedTestOptions options) =>
        from scores in run.Report.Methods
        let against = baseline.Report.Methods.FirstOrDefault(other => other.Method == scores.Method)
        where against is not null
        from metric in Metric.All
        where
            metric.Direction != MetricDirection.Neutral
            && MethodTests.HasValues(scores, metric)
            && MethodTests.HasValues(against, metric)
        select new RunDifference(run.Name, baseline.Name, PairedTest.Compare(scores, against, metric, options));
}

/// <summary>The same method in two runs, tested query by query.</summary>
/// <param name="Run">The run tested.</param>
/// <param name="Baseline">The run it is tested against.</param>
/// <param name="Test">Difference, p-values, users helped and hurt.</param>
public sealed record RunDifference(string Run, string Baseline, PairedComparison Test);

/// <summary>A comparison of runs as JSON and as CSV.</summary>
public static class ComparisonFile
{
    internal static readonly JsonSerializerOptions Options = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    /// <summary>Figures of every run, tests against the first, and what could not be tested.</summary>
    public static string ToJson(RunComparison comparison)
    {
        ArgumentNullException.ThrowIfNull(comparison);
        return JsonSerializer.Serialize(
                new
                {
                    Runs = comparison.Runs.Select(run => new
                    {
                        Run = run.Name,
                        Task = run.Task.Name,
                        Results = Results(run),
                    }),
                    Differences = comparison.Differences.Select(Difference),
                    comparison.Unpaired,
                },
                Options
            ) + "\n";
    }

    /// <summary>
    /// Figures of every run, one line each: run, method, metric, mean, standard error, count, deviation over the seeds.
    /// </summary>
    public static void WriteCsv(RunComparison comparison, TextWriter writer)
    {
        ArgumentNullException.ThrowIfNull(comparison);
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write("run,method,metric,mean,standard_error,n,seed_sd\n");
        foreach (var run in comparison.Runs)
        {
            foreach (var cell in ResultsTable.Create(run.Report, run.Seeds).Cells)
            {
                writer.Write(
                    CsvLine.Format(
                        run.Name,
                        cell.Method,
                        cell.Metric,
                        CsvLine.Number(cell.Mean),
                        CsvLine.Number(cell.StandardError),
                        cell.Count.ToString(CultureInfo.InvariantCulture),
                        CsvLine.Number(cell.SeedDeviation)
                    )
                );
            }
        }
    }

    static Dictionary<string, Dictionary<string, object>> Results(RunResults run) =>
        run.Report.Methods.ToDictionary(
            scores => scores.Method,
            scores =>
                scores.Metrics.ToDictionary(
                    metric => metric.Key,
                    metric =>
                        (object)
                            new
                            {
                                metric.Value.Mean,
                                Se = metric.Value.StandardError,
                                N = metric.Value.Count,
                                SeedSd = run.Seeds?.StandardDeviation(scores.Method, metric.Key),
                            }
                )
        );

    static object Difference(RunDifference difference) =>
        new
        {
            difference.Run,
            difference.Baseline,
            difference.Test.Method,
            Metric = difference.Test.Metric.Name,
            difference.Test.Difference,
            Low = Finite(difference.Test.Low),
            High = Finite(difference.Test.High),
            difference.Test.BootstrapP,
            difference.Test.SignP,
            Unit = JsonNamingPolicy.SnakeCaseLower.ConvertName(difference.Test.Unit.ToString()),
            difference.Test.Helped,
            difference.Test.Hurt,
            difference.Test.Equal,
        };

    static double? Finite(double value) => double.IsFinite(value) ? value : null;
}
