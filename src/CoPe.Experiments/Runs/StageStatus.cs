namespace CoPe.Experiments.Runs;

/// <summary>Where a stage stands and why.</summary>
/// <param name="Stage">The stage.</param>
/// <param name="State">Where it stands.</param>
/// <param name="Reasons">What changed or is damaged, in words, where it is stale.</param>
public sealed record StageStatus(StageId Stage, StageState State, IReadOnlyList<string> Reasons)
{
    /// <summary>
    /// Time spent on what exists, zero where all of it is damaged; where users changed, on what leaves with them.
    /// </summary>
    public TimeSpan TimeSpent { get; init; }

    /// <summary>Whether nothing tells how long it took.</summary>
    internal bool IsTimeUnknown { get; init; }

    /// <summary>Inputs that differ from those it was made from, where it is stale.</summary>
    internal IReadOnlyList<InputChange> Changes { get; init; } = [];

    /// <summary>How its users differ from those of the run now.</summary>
    internal UserChanges Users { get; init; } = UserChanges.None;
}

/// <summary>Where a stage stands under a recipe.</summary>
public enum StageState
{
    /// <summary>Not begun, or nothing of it is left.</summary>
    Missing,

    /// <summary>Begun on the same inputs; it resumes where it stopped.</summary>
    Interrupted,

    /// <summary>Made or begun on other inputs, or its outputs or marker are damaged; it starts again.</summary>
    Stale,

    /// <summary>Whole and current.</summary>
    Complete,

    /// <summary>
    /// Whole and current but for some users, who are new, changed or gone: only their parts are made or removed.
    /// </summary>
    UsersChanged,
}
