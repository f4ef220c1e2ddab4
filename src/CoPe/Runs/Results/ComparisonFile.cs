using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using CoPe.Evaluation.Report;

namespace CoPe.Runs.Results;

/// <summary>A comparison of runs as JSON and as CSV.</summary>
public static class ComparisonFile
{
    internal static readonly JsonSerializerOptions Options = new()
    {
        WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    /// <summary>Figures of every run, tests against the first, and what could not be tested.</summary>
    public static string Json(RunComparison comparison)
    {
        ArgumentNullException.ThrowIfNull(comparison);
        return JsonSerializer.Serialize(
            new
            {
                Runs = comparison.Runs.Select(run => new { Run = run.Name, Task = run.Task.Name, Results = Results(run) }),
                Differences = comparison.Differences.Select(Difference),
                comparison.Unpaired,
            },
            Options) + "\n";
    }

    /// <summary>Figures of every run, one line each: run, method, metric, mean, standard error, count, deviation over the seeds.</summary>
    public static void WriteCsv(RunComparison comparison, TextWriter writer)
    {
        ArgumentNullException.ThrowIfNull(comparison);
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write("run,method,metric,mean,standard_error,n,seed_sd\n");
        foreach (var run in comparison.Runs)
            foreach (var cell in ResultsTable.Of(run.Report, run.Seeds).Cells)
                writer.Write(CsvLine.Of(run.Name, cell.Method, cell.Metric, CsvLine.Number(cell.Mean), CsvLine.Number(cell.StandardError), cell.Count.ToString(CultureInfo.InvariantCulture), CsvLine.Number(cell.SeedDeviation)));
    }

    static Dictionary<string, Dictionary<string, object>> Results(RunFigures run) => run.Report.Methods.ToDictionary(
        scores => scores.Method,
        scores => scores.Metrics.ToDictionary(
            metric => metric.Key,
            metric => (object)new { metric.Value.Mean, Se = metric.Value.StandardError, N = metric.Value.Count, SeedSd = run.Seeds?.DeviationOf(scores.Method, metric.Key) }));

    static object Difference(RunDifference difference) => new
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
