namespace CoPe.Training;

/// <summary>Tells the world where a loop stands: metrics of each user's step, progress, outcomes.</summary>
sealed class TrainingReporter(TrainingSetup setup, long[] totals, UserTrainingState[] states)
{
    readonly TrainingContext _run = setup.Context;

    /// <summary>Reports one step of all its users.</summary>
    public void ReportStep(StepResult reading, IProgress<StageProgress>? progress)
    {
        var tokensPerSecond = reading.Tokens / Math.Max(1e-9, reading.Elapsed.TotalSeconds);
        var names = setup.Objective.Figures;
        if (_run.Metrics is { } metrics)
        {
            foreach (var user in reading.Users)
            {
                metrics(CreateMetrics(reading, user, tokensPerSecond));
            }
        }

        if (progress is null)
        {
            return;
        }

        var figures = names
            .Select(
                (name, i) =>
                    (name, mean: reading.Users.Average(user => (double)reading.Values[user * (names.Count + 1) + i]))
            )
            .ToDictionary(pair => pair.name, pair => pair.mean);
        figures["lr"] = reading.Users.Average(user => _run.Options.Rate(reading.Step, totals[user]));
        figures["tokens/s"] = tokensPerSecond;
        figures["memory MB"] = Memory;
        progress.Report(
            new()
            {
                Stage = _run.Stage,
                User = reading.Users.Length == 1 ? setup.Names[reading.Users[0]] : $"{reading.Users.Length} users",
                Done = states.Sum(state => state.Steps),
                Total = Enumerable
                    .Range(0, totals.Length)
                    .Sum(user => states[user].Status == TrainingStatus.InProgress ? totals[user] : states[user].Steps),
                Figures = figures,
            }
        );
    }

    static double Memory => Environment.WorkingSet / (1024.0 * 1024);

    StepMetrics CreateMetrics(StepResult reading, int user, double tokensPerSecond)
    {
        var names = setup.Objective.Figures;
        var values = reading.Values.AsSpan(user * (names.Count + 1), names.Count + 1);
        var figures = new Dictionary<string, double>();
        for (var i = 0; i < names.Count; i++)
        {
            figures[names[i]] = values[i];
        }

        figures["grad_norm"] = values[^1];
        figures["lr"] = _run.Options.Rate(reading.Step, totals[user]);
        figures["tokens/s"] = tokensPerSecond;
        figures["memory MB"] = Memory;
        return new()
        {
            Stage = _run.Stage,
            User = setup.Names[user],
            Step = reading.Step + 1,
            Figures = figures,
        };
    }

    /// <summary>What became of each user.</summary>
    public IReadOnlyList<TrainingOutcome> Outcomes() =>
        [
            .. states.Select(
                (state, user) =>
                    new TrainingOutcome
                    {
                        User = setup.Names[user],
                        Status = state.Status,
                        Steps = state.Steps,
                        LastLoss = state.LastLoss,
                        BestDevelopmentLoss = state.BestDevelopmentLoss,
                    }
            ),
        ];
}

/// <summary>What a step read back from the device.</summary>
/// <param name="Step">Step, counted from 0.</param>
/// <param name="Users">Users who took it.</param>
/// <param name="Values">Figures and gradient norm of every user, <c>[users * (figures + 1)]</c>.</param>
/// <param name="Tokens">Tokens without padding.</param>
/// <param name="Elapsed">Time it took.</param>
sealed record StepResult(long Step, int[] Users, float[] Values, long Tokens, TimeSpan Elapsed);

/// <summary>Figures of one user's step, for one line of a metrics file.</summary>
public sealed record StepMetrics
{
    /// <summary>Stage, for example <c>train sft</c>.</summary>
    public required string Stage { get; init; }

    /// <summary>The user.</summary>
    public required string User { get; init; }

    /// <summary>Step, counted from 1; 0 is before the first.</summary>
    public required long Step { get; init; }

    /// <summary>
    /// Figures by name: <c>loss</c>, <c>grad_norm</c>, <c>lr</c>, <c>tokens/s</c> (of all users together),
    /// <c>rewards/margins</c>, <c>development loss</c>, ...
    /// </summary>
    public required IReadOnlyDictionary<string, double> Figures { get; init; }
}
