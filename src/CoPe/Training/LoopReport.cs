using CoPe.Runs;
using Microsoft.Extensions.Logging;

namespace CoPe.Training;

/// <summary>Tells the world where a loop stands: metrics of each user's step, progress, warnings, outcomes.</summary>
internal sealed class LoopReport(LoopSetup setup, long[] totals, UserState[] states)
{
    readonly TrainingRun run = setup.Run;

    /// <summary>Warns of users with less than one batch, of all of them in one line each.</summary>
    public void WarnOfSmallHistories()
    {
        var users = Enumerable.Range(0, setup.Names.Count).ToLookup(user => setup.Rows[user].Length switch { 0 => 0, var examples when examples < run.Options.BatchSize => 1, _ => 2 });
        if (users[0].Any()) run.Logger.LogWarning("{Stage}: no example to learn from, so the adapter stays as it is: user {Users}.", run.Stage, Names(users[0], _ => ""));
        if (users[1].Any())
        {
            run.Logger.LogWarning("{Stage}: the history is small, its examples do not fill one batch of {Batch}: user {Users}.", run.Stage, run.Options.BatchSize,
                Names(users[1], user => $" ({setup.Rows[user].Length})"));
        }
    }

    string Names(IEnumerable<int> users, Func<int, string> note)
    {
        const int most = 5;
        var all = users.Select(user => setup.Names[user] + note(user)).ToArray();
        return string.Join(", ", all.Take(most)) + (all.Length > most ? $" and {all.Length - most} more" : "");
    }

    /// <summary>Reports one step of all its users.</summary>
    public void Step(StepReading reading, IProgress<StageProgress>? progress)
    {
        var tokensPerSecond = reading.Tokens / Math.Max(1e-9, reading.Elapsed.TotalSeconds);
        var names = setup.Objective.Figures;
        if (run.Metrics is { } metrics)
            foreach (var user in reading.Users) metrics(Row(reading, user, tokensPerSecond));
        if (progress is null) return;
        var figures = names.Select((name, i) => (name, mean: reading.Users.Average(user => (double)reading.Values[user * (names.Count + 1) + i]))).ToDictionary(pair => pair.name, pair => pair.mean);
        figures["lr"] = reading.Users.Average(user => run.Options.Rate(reading.Step, totals[user]));
        figures["tokens/s"] = tokensPerSecond;
        figures["memory MB"] = Memory;
        progress.Report(new()
        {
            Stage = run.Stage,
            User = reading.Users.Length == 1 ? setup.Names[reading.Users[0]] : $"{reading.Users.Length} users",
            Done = states.Sum(state => state.Steps),
            Total = Enumerable.Range(0, totals.Length).Sum(user => states[user].End == TrainingEnd.None ? totals[user] : states[user].Steps),
            Figures = figures,
        });
    }

    static double Memory => Environment.WorkingSet / (1024.0 * 1024);

    MetricRow Row(StepReading reading, int user, double tokensPerSecond)
    {
        var names = setup.Objective.Figures;
        var values = reading.Values.AsSpan(user * (names.Count + 1), names.Count + 1);
        var figures = new Dictionary<string, double>();
        for (var i = 0; i < names.Count; i++) figures[names[i]] = values[i];
        figures["grad_norm"] = values[^1];
        figures["lr"] = run.Options.Rate(reading.Step, totals[user]);
        figures["tokens/s"] = tokensPerSecond;
        figures["memory MB"] = Memory;
        return new() { Stage = run.Stage, User = setup.Names[user], Step = reading.Step + 1, Figures = figures };
    }

    /// <summary>What became of each user.</summary>
    public IReadOnlyList<TrainingOutcome> Outcomes() =>
    [
        .. states.Select((state, user) => new TrainingOutcome
        {
            User = setup.Names[user], End = state.End, Steps = state.Steps, LastLoss = state.LastLoss, BestDevelopmentLoss = state.BestDevelopmentLoss,
        }),
    ];
}
