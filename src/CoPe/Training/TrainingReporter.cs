namespace CoPe.Training;

/// <summary>Reports metrics of each user's step, progress and outcomes.</summary>
sealed class TrainingReporter(TrainingSetup setup, long[] totalSteps, UserTrainingState[] states)
{
    readonly TrainingContext _context = setup.Context;

    static readonly Dictionary<string, double> Empty = [];

    static double MemoryInMegabytes => Environment.WorkingSet / (1024.0 * 1024);

    /// <summary>Reports one step of all its users.</summary>
    public void ReportStep(StepResult step, IProgress<StageProgress>? progress)
    {
        if (_context.Metrics is { } metrics)
        {
            foreach (var user in step.Users)
            {
                metrics(CreateMetrics(step, user));
            }
        }
        progress?.Report(CreateProgress(step));
    }

    /// <summary>What became of each user.</summary>
    public IReadOnlyList<TrainingOutcome> CreateOutcomes() => [.. states.Select(CreateOutcome)];

    StepMetrics CreateMetrics(StepResult step, int user)
    {
        var figures = step.Figures.Names.ToDictionary(name => name, name => (double)step.Figures[user, name]);
        AddRates(figures, step, [user]);
        return new()
        {
            Stage = _context.Stage,
            User = setup.Users[user].Name,
            Step = step.Step + 1,
            Figures = figures,
        };
    }

    StageProgress CreateProgress(StepResult step)
    {
        var figures = step
            .Figures.Names.Where(name => name != StepFigures.GradientNorm)
            .ToDictionary(name => name, name => step.Users.Average(user => (double)step.Figures[user, name]));
        AddRates(figures, step, step.Users);
        return new()
        {
            Stage = _context.Stage,
            User = step.Users.Length == 1 ? setup.Users[step.Users[0]].Name : $"{step.Users.Length} users",
            Done = states.Sum(state => state.Steps),
            Total = states.Select(CountExpectedSteps).Sum(),
            Figures = figures,
        };
    }

    void AddRates(Dictionary<string, double> figures, StepResult step, int[] users)
    {
        figures["lr"] = users.Average(user => _context.Options.Rate(step.Step, totalSteps[user]));
        figures["tokens/s"] = step.Tokens / Math.Max(1e-9, step.Elapsed.TotalSeconds);
        figures["memory MB"] = MemoryInMegabytes;
    }

    long CountExpectedSteps(UserTrainingState state, int user) =>
        state.Status == TrainingStatus.InProgress ? totalSteps[user] : state.Steps;

    TrainingOutcome CreateOutcome(UserTrainingState state, int user) =>
        new()
        {
            User = setup.Users[user].Name,
            Status = state.Status,
            Steps = state.Steps,
            Tokens = state.Tokens,
            ExamplesMeasured = _context.Options.ExamplesPerStep(setup.Users[user].Rows.Count),
            LastLoss = state.LastLoss,
            FiguresBefore = state.FiguresBefore ?? Empty,
            FiguresAfter = state.FiguresAfter ?? Empty,
            BestDevelopmentLoss = state.BestDevelopmentLoss,
        };
}

/// <summary>One step of the loop.</summary>
/// <param name="Step">Step, counted from 0.</param>
/// <param name="Users">Users who took it.</param>
/// <param name="Figures">Figures and gradient norm of every user.</param>
/// <param name="Tokens">Tokens without padding.</param>
/// <param name="Elapsed">Time it took.</param>
sealed record StepResult(long Step, int[] Users, StepFigures Figures, long Tokens, TimeSpan Elapsed);

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
