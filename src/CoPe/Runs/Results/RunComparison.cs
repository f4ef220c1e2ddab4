using CoPe.Evaluation;
using CoPe.Runs.Recipes;

namespace CoPe.Runs.Results;

/// <summary>Several runs of one task beside each other, each tested against the first where both answered the same queries.</summary>
public sealed record RunComparison
{
    /// <summary>The runs, in the order given.</summary>
    public required IReadOnlyList<RunFigures> Runs { get; init; }

    /// <summary>Each method that a run shares with the first, on each metric that both have.</summary>
    public required IReadOnlyList<RunDifference> Differences { get; init; }

    /// <summary>Why runs could not be tested against the first.</summary>
    public required IReadOnlyList<string> Unpaired { get; init; }

    /// <summary>Methods of any of the runs, in the order of tables.</summary>
    public IReadOnlyList<string> Methods => [.. PredictionMethod.InTableOrder(Runs.SelectMany(run => run.Report.Methods).Select(scores => scores.Method).Distinct())];

    /// <summary>Compares runs.</summary>
    /// <param name="runs">Two or more runs of one task.</param>
    /// <param name="options">How they are tested; null takes the defaults.</param>
    /// <exception cref="RunException">They are of several tasks.</exception>
    public static RunComparison Of(IReadOnlyList<RunFigures> runs, PairedTestOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(runs);
        if (runs.FirstOrDefault(run => run.Task.Name != runs[0].Task.Name) is { } other)
            throw new RunException($"{runs[0].Name} is a run of {runs[0].Task.Name}, {other.Name} one of {other.Task.Name}: compare runs of one task");
        var reasons = runs.Skip(1).ToDictionary(run => run, run => run.DiffersFrom(runs[0]));
        return new()
        {
            Runs = runs,
            Differences = [.. reasons.Where(pair => pair.Value is null).SelectMany(pair => Tests(pair.Key, runs[0], options ?? new()))],
            Unpaired = [.. reasons.Where(pair => pair.Value is not null).Select(pair => $"{pair.Key.Name} is not tested against {runs[0].Name}: {pair.Value}")],
        };
    }

    static IEnumerable<RunDifference> Tests(RunFigures run, RunFigures baseline, PairedTestOptions options) =>
        from scores in run.Report.Methods
        let against = baseline.Report.Methods.FirstOrDefault(other => other.Method == scores.Method)
        where against is not null
        from metric in Metric.All
        where metric.Direction != MetricDirection.Neutral && MethodTests.Has(scores, metric) && MethodTests.Has(against, metric)
        select new RunDifference(run.Name, baseline.Name, PairedTest.Compare(scores, against, metric, options));
}
