namespace CoPe.Experiments.Runs;

/// <summary>Something that happened to a stage.</summary>
/// <param name="Stage">The stage's name, or that of other work which is shown in the same way.</param>
/// <param name="Kind">What happened.</param>
public sealed record StageEvent(string Stage, StageEventKind Kind);

/// <summary>What happened to a stage.</summary>
public enum StageEventKind
{
    /// <summary>It began.</summary>
    Started,

    /// <summary>It resumed where it had stopped.</summary>
    Resumed,

    /// <summary>It was complete already.</summary>
    Skipped,

    /// <summary>It is complete now.</summary>
    Finished,

    /// <summary>It was cancelled or failed.</summary>
    Stopped,
}
