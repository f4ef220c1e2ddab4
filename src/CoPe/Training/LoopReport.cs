namespace CoPe.Training;

/// <summary>Tells the world where a loop stands: metrics of each user's step, progress, outcomes.</summary>
internal sealed class LoopReport(LoopSetup setup, long[] totals, UserState[] states)
{
    readonly TrainingRun run = setup.Run;

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
