namespace CoPe.Training;

/// <summary>What became of one user's training.</summary>
public sealed record TrainingOutcome
{
    /// <summary>The user.</summary>
    public required string User { get; init; }

    /// <summary>How it ended.</summary>
    public required TrainingEnd End { get; init; }

    /// <summary>Steps taken.</summary>
    public required long Steps { get; init; }

    /// <summary>Loss of the last step; null before the first.</summary>
    public double? LastLoss { get; init; }

    /// <summary>Lowest development loss; null without a development split.</summary>
    public double? BestDevelopmentLoss { get; init; }
}
