namespace CoPe.Runs;

/// <summary>The stages of a run in order: the one place where they are registered.</summary>
public static class StageList
{
    /// <summary>Every stage, in the order in which they run.</summary>
    public static IReadOnlyList<Stage> All { get; } =
    [
    ];
}
