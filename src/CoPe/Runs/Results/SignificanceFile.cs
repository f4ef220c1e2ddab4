using System.Globalization;
using System.Text.Json;
using CoPe.Evaluation;
using CoPe.Evaluation.Report;

namespace CoPe.Runs.Results;

/// <summary>The paired tests of a run, every method against every one before it in the table, and each user's figures, as files.</summary>
public static class SignificanceFile
{
    /// <summary>Writes the tests as JSON and CSV and the users' figures as CSV.</summary>
    /// <param name="report">The figures.</param>
    /// <param name="options">How it is tested.</param>
    /// <param name="run">Where to.</param>
    public static void Write(EvaluationReport report, PairedTestOptions options, RunDirectory run)
    {
        ArgumentNullException.ThrowIfNull(report);
        ArgumentNullException.ThrowIfNull(run);
        var lines = MethodTests.Of(report, MethodTests.EveryPair(report), Metric.All, options).Select(SignificanceLine.Of).ToList();
        AtomicFile.WriteText(run.Significance, JsonSerializer.Serialize(lines, ComparisonFile.Options) + "\n");
        AtomicFile.WriteText(run.SignificanceTable, string.Concat(lines.Select(Row).Prepend("method,baseline,metric,difference,low,high,bootstrap_p,sign_p,unit,helped,hurt,equal\n")));
        AtomicFile.WriteText(run.UserResultsTable, string.Concat(OfUsers(report).Prepend("user,history_items,queries,method,metric,mean\n")));
    }

    /// <summary>Reads the tests; none where the run has none.</summary>
    /// <param name="run">The run.</param>
    /// <exception cref="RunException">The file is not of this form.</exception>
    public static IReadOnlyList<SignificanceLine> Read(RunDirectory run)
    {
        ArgumentNullException.ThrowIfNull(run);
        if (!File.Exists(run.Significance)) return [];
        try
        {
            return JsonSerializer.Deserialize<List<SignificanceLine>>(File.ReadAllText(run.Significance), ComparisonFile.Options) ?? [];
        }
        catch (JsonException error)
        {
            throw new RunException($"{run.Significance} is no list of tests: {error.Message} Run 'cope evaluate --run {run.Name}' again.");
        }
    }

    static string Row(SignificanceLine line) => CsvLine.Of(
        line.Method, line.Baseline, line.Metric, CsvLine.Number(line.Difference), CsvLine.Number(line.Low), CsvLine.Number(line.High), CsvLine.Number(line.BootstrapP), CsvLine.Number(line.SignP),
        line.Unit, Count(line.Helped), Count(line.Hurt), Count(line.Equal));

    static IEnumerable<string> OfUsers(EvaluationReport report) =>
        from scores in report.Methods
        from user in scores.Users
        from metric in Metric.All
        where user.Values.ContainsKey(metric.Name)
        select CsvLine.Of(user.UserId, Count(user.HistoryItems), Count(user.Queries), scores.Method, metric.Name, CsvLine.Number(user.Values[metric.Name]));

    static string Count(int count) => count.ToString(CultureInfo.InvariantCulture);
}
