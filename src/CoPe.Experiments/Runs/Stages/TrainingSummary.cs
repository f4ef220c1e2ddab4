using CoPe.Experiments.Report;
using CoPe.Training;

namespace CoPe.Experiments.Runs.Stages;

/// <summary>
/// What a training did to one user, kept as the last line of theirs in the stage's metrics: so that what is said at its
/// end, and in the report, does not depend on which session trained them.
/// </summary>
sealed record TrainingSummary
{
    const string Diverged = "diverged",
        Tokens = "tokens",
        Examples = "examples measured",
        LossBefore = "loss before",
        LossAfter = "loss after",
        AccuracyBefore = "accuracy before",
        AccuracyAfter = "accuracy after",
        ChosenBefore = "chosen before",
        ChosenAfter = "chosen after",
        RejectedBefore = "rejected before",
        RejectedAfter = "rejected after",
        AdapterChange = "adapter change";

    /// <summary>The user.</summary>
    public required string User { get; init; }

    /// <summary>Whether the training diverged.</summary>
    public required bool HasDiverged { get; init; }

    /// <summary>Tokens trained on, every epoch counted.</summary>
    public long TokenCount { get; init; }

    /// <summary>Examples of the first step, of which the figures before and after training are the means.</summary>
    public int ExampleCount { get; init; }

    /// <summary>Mean loss of these examples before and after training.</summary>
    public BeforeAndAfter? Loss { get; init; }

    /// <summary>Share of these pairs whose chosen answer has the higher implicit reward.</summary>
    public BeforeAndAfter? Accuracy { get; init; }

    /// <summary>Mean log-probability of their chosen answers, in nats; null where there are no pairs.</summary>
    public BeforeAndAfter? Chosen { get; init; }

    /// <summary>The same of the rejected answers.</summary>
    public BeforeAndAfter? Rejected { get; init; }

    /// <summary>
    /// How far preference training moved the adapter (<see cref="Adapters.AdapterDistance"/>); null where there was
    /// none.
    /// </summary>
    public double? Movement { get; init; }

    /// <summary>The line of a user in the metrics; null of one without examples.</summary>
    /// <param name="stage">The stage.</param>
    /// <param name="outcome">What became of the user.</param>
    /// <param name="movement">How far the adapter moved; null where that is not measured.</param>
    public static StepMetrics? CreateRow(StageId stage, TrainingOutcome outcome, double? movement)
    {
        if (outcome.Status == TrainingStatus.NoExamples)
        {
            return null;
        }
        var figures = new Dictionary<string, double>
        {
            [Diverged] = outcome.Status == TrainingStatus.Diverged ? 1 : 0,
            [Tokens] = outcome.Tokens,
            [Examples] = outcome.ExamplesMeasured,
        };
        Copy(outcome, "loss", LossBefore, LossAfter, figures);
        Copy(outcome, "rewards/accuracies", AccuracyBefore, AccuracyAfter, figures);
        Copy(outcome, "logps/chosen", ChosenBefore, ChosenAfter, figures);
        Copy(outcome, "logps/rejected", RejectedBefore, RejectedAfter, figures);
        if (movement is { } moved)
        {
            figures[AdapterChange] = moved;
        }
        return new()
        {
            Stage = stage.Name,
            User = outcome.User,
            Step = outcome.Steps,
            Figures = figures,
        };
    }

    /// <summary>Whether a line of metrics is a user's summary and not a step of theirs.</summary>
    public static bool IsSummary(StepMetrics row) => row.Figures.ContainsKey(Diverged);

    /// <summary>The summaries in a stage's metrics, each user's last.</summary>
    public static IReadOnlyList<TrainingSummary> Read(RunDirectory run, StageId stage) =>
        [
            .. JsonLines
                .Enumerate<StepMetrics>(run.Metrics(stage))
                .Where(IsSummary)
                .GroupBy(row => row.User)
                .Select(user => FromRow(user.Last())),
        ];

    /// <summary>
    /// What preference training did, over the summaries of its stage; null where none has what it takes.
    /// </summary>
    public static PreferenceEffect? ComputeEffect(IReadOnlyList<TrainingSummary> summaries)
    {
        var measured = summaries.Where(user => user is { Movement: not null, Accuracy: not null }).ToList();
        if (measured.Count == 0)
        {
            return null;
        }
        return new(
            measured.Count,
            ComputeMedian([.. measured.Select(user => user.Movement!.Value)]),
            measured.Sum(user => user.ExampleCount),
            measured.Sum(user => user.CountRanked(user.Accuracy!.Value.Before)),
            measured.Sum(user => user.CountRanked(user.Accuracy!.Value.After))
        )
        {
            Chosen = ComputeMean(measured, user => user.Chosen),
            Rejected = ComputeMean(measured, user => user.Rejected),
        };
    }

    /// <summary>The mean over the pairs of all users; null where it is not known of all.</summary>
    static BeforeAndAfter? ComputeMean(List<TrainingSummary> users, Func<TrainingSummary, BeforeAndAfter?> find)
    {
        var pairs = users.Sum(user => user.ExampleCount);
        if (pairs == 0 || users.Any(user => find(user) is null))
        {
            return null;
        }

        return new(
            users.Sum(user => find(user)!.Value.Before * user.ExampleCount) / pairs,
            users.Sum(user => find(user)!.Value.After * user.ExampleCount) / pairs
        );
    }

    int CountRanked(double accuracy) => (int)Math.Round(accuracy * ExampleCount, MidpointRounding.AwayFromZero);

    static double ComputeMedian(double[] values)
    {
        Array.Sort(values);
        var middle = values.Length / 2;
        return values.Length % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
    }

    static TrainingSummary FromRow(StepMetrics row) =>
        new()
        {
            User = row.User,
            HasDiverged = row.Figures[Diverged] > 0,
            TokenCount = (long)row.Figures.GetValueOrDefault(Tokens),
            ExampleCount = (int)row.Figures.GetValueOrDefault(Examples),
            Loss = FindPair(row, LossBefore, LossAfter),
            Accuracy = FindPair(row, AccuracyBefore, AccuracyAfter),
            Chosen = FindPair(row, ChosenBefore, ChosenAfter),
            Rejected = FindPair(row, RejectedBefore, RejectedAfter),
            Movement = row.Figures.TryGetValue(AdapterChange, out var moved) ? moved : null,
        };

    static BeforeAndAfter? FindPair(StepMetrics row, string before, string after) =>
        row.Figures.TryGetValue(before, out var first) && row.Figures.TryGetValue(after, out var last)
            ? new(first, last)
            : null;

    static void Copy(
        TrainingOutcome outcome,
        string name,
        string before,
        string after,
        Dictionary<string, double> figures
    )
    {
        if (outcome.FiguresBefore.TryGetValue(name, out var first))
        {
            figures[before] = first;
        }
        if (outcome.FiguresAfter.TryGetValue(name, out var last))
        {
            figures[after] = last;
        }
    }
}
