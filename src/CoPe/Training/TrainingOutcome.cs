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

    /// <summary>The loss or its gradient was no longer a number; the last good adapter was kept.</summary>
    Diverged,

    /// <summary>There was nothing to learn from; the adapter is as it was.</summary>
    NoExamples,
}
