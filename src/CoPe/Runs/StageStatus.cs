namespace CoPe.Runs;

/// <summary>Where a stage stands and why.</summary>
/// <param name="Stage">The stage's name.</param>
/// <param name="State">Where it stands.</param>
/// <param name="Reasons">What changed or is damaged, in words, where it is stale.</param>
public sealed record StageStatus(string Stage, StageState State, IReadOnlyList<string> Reasons)
{
    /// <summary>Time spent on what lies there; zero where it is damaged.</summary>
    public TimeSpan Spent { get; init; }
}
