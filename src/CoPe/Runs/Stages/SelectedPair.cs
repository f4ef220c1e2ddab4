namespace CoPe.Runs.Stages;

/// <summary>A line of <c>negatives/pairs.jsonl</c>: the answer rejected for one history item, and why.</summary>
sealed record SelectedPair
{
    /// <summary>The user.</summary>
    public required string User { get; init; }

    /// <summary>The history item.</summary>
    public required string Item { get; init; }

    /// <summary>The rejected answer.</summary>
    public required string Rejected { get; init; }

    /// <summary>Implicit reward of the rejected answer; null where nothing was scored.</summary>
    public double? RejectedReward { get; init; }

    /// <summary>Implicit reward of the user's own text, scored in the same way.</summary>
    public double? ChosenReward { get; init; }

    /// <summary>Implicit rewards of all candidates, in their order.</summary>
    public IReadOnlyList<double> Rewards { get; init; } = [];

    /// <summary>What DPO's reference policies say of both answers; null where answers were scored together with their prompts, or by an earlier version.</summary>
    public PairReference? Reference { get; init; }
}
