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
                $"{runs[0].Name} is a run of {runs[0].Task.Name}, {other.Name} one of {other.Task.Name}: "
                    + "compare runs of one task"
            );
        }

        var baseline = runs[0];
        var differences = new List<RunDifference>();
        var unpaired = new List<string>();
        foreach (var run in runs.Skip(1))
        {
            if (run.ExplainDifference(baseline) is { } reason)
            {
                unpaired.Add($"{run.Name} is not tested against {baseline.Name}: {reason}");
            }
            else
            {
                differences.AddRange(CompareMethods(run, baseline, options ?? new()));
            }
        }

        return new()
        {
            Runs = runs,
            Differences = differences,
            Unpaired = unpaired,
        };
    }

    static IEnumerable<RunDifference> CompareMethods(RunResults run, RunResults baseline, PairedTestOptions options) =>
        from scores in run.Report.Methods
        let against = baseline.Report.Methods.FirstOrDefault(other => other.Method == scores.Method)
        where against is not null
        from metric in Metric.All
        where metric.IsDirected && MethodTests.HasValues(scores, metric) && MethodTests.HasValues(against, metric)
        select new RunDifference(run.Name, baseline.Name, PairedTest.Compare(scores, against, metric, options));
}

/// <summary>The same method in two runs, tested query by query.</summary>
/// <param name="Run">The run tested.</param>
/// <param name="Baseline">The run it is tested against.</param>
/// <param name="Test">Difference, p-values, users helped and hurt.</param>
public sealed record RunDifference(string Run, string Baseline, PairedComparison Test);

/// <summary>A comparison of runs as JSON and as CSV.</summary>
static class ComparisonFile
{
    /// <summary>Results of every run, tests against the first, and what could not be tested.</summary>
    public static string ToJson(RunComparison comparison)
    {
        var content = new
        {
            Runs = comparison.Runs.Select(run => new
            {
                Run = run.Name,
                Task = run.Task.Name,
                Results = ToMethods(run.Table),
            }),
            Differences = comparison.Differences.Select(ToTest),
            comparison.Unpaired,
        };
        return JsonSerializer.Serialize(content, ResultsJson.Options) + "\n";
    }

    /// <summary>
    /// Results of every run, a row each: run, method, metric, mean, standard error, count, deviation over the seeds.
    /// </summary>
    public static void WriteCsv(RunComparison comparison, TextWriter writer)
    {
        ResultsCsv.WriteHeading(writer, "run,", hasSeeds: true);
        foreach (var run in comparison.Runs)
        {
            ResultsCsv.WriteCells(writer, [run.Name], run.Table.Cells, hasSeeds: true);
        }
    }

    static Dictionary<string, Dictionary<string, object>> ToMethods(ResultsTable table)
    {
        var cells = table.Cells.ToLookup(cell => cell.Method);
        return table.Methods.ToDictionary(
            method => method,
            method => cells[method].ToDictionary(cell => cell.Metric, ToMean)
        );
    }

    static object ToMean(ResultCell cell) =>
        new
        {
            cell.Mean,
            Se = cell.StandardError,
            N = cell.Count,
            SeedSd = cell.SeedDeviation,
        };

    static object ToTest(RunDifference difference)
    {
        var test = SignificanceLine.FromTest(difference.Test);
        return new
        {
            difference.Run,
            difference.Baseline,
            test.Method,
            test.Metric,
            test.Difference,
            test.Low,
            test.High,
            test.BootstrapP,
            test.SignP,
            test.Unit,
            test.Helped,
            test.Hurt,
            test.Equal,
        };
    }
}

/// <summary>How results other than <c>results.json</c> are written as JSON.</summary>
static class ResultsJson
{
    public static JsonSerializerOptions Options { get; } =
        new()
        {
            WriteIndented = true,
            PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
            DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        };
}
