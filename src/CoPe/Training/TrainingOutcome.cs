namespace CoPe.Training;

/// <summary>What became of one user's training.</summary>
public sealed record TrainingOutcome
{
    /// <summary>The user.</summary>
    public required string User { get; init; }

    /// <summary>How it ended.</summary>
    public required TrainingStatus Status { get; init; }

    /// <summary>Steps taken.</summary>
    public required long Steps { get; init; }

    /// <summary>Tokens of the examples of all steps, without padding.</summary>
    public long Tokens { get; init; }

    /// <summary>Examples of the first step, on which the figures before and after are measured.</summary>
    public int ExamplesMeasured { get; init; }

    /// <summary>
    /// Figures of the first step's examples before it, by name: <c>loss</c>, <c>rewards/accuracies</c>, ...
    /// </summary>
    public IReadOnlyDictionary<string, double> FiguresBefore { get; init; } = new Dictionary<string, double>();

    /// <summary>The same figures of the same examples under the weights that the training ended with.</summary>
    public IReadOnlyDictionary<string, double> FiguresAfter { get; init; } = new Dictionary<string, double>();

    /// <summary>Loss of the last step; null before the first.</summary>
    public double? LastLoss { get; init; }

    /// <summary>Lowest development loss; null without a development split.</summary>
    public double? BestDevelopmentLoss { get; init; }
}

/// <summary>How far a user's training is, or how it ended.</summary>
public enum TrainingStatus
{
    /// <summary>Still training.</summary>
    InProgress,

    /// <summary>All steps were taken.</summary>
    Finished,

    /// <summary>The development loss no longer fell; the best adapter was kept.</summary>
    StoppedEarly,

    /// <summary>
    /// The loss or its gradient was no longer a number, or the loss rose far above its beginning; the adapter of the
    /// lowest loss was kept: of the lowest development loss where training stops early, else of the lowest loss of
    /// training, smoothed over some steps.
    /// </summary>
    Diverged,

    /// <summary>There was nothing to learn from; the adapter is as it was.</summary>
    NoExamples,
}
