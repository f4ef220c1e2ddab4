namespace CoPe.Runs;

/// <summary>What happened to a stage.</summary>
public enum StageEventKind
{
    /// <summary>It began.</summary>
    Began,

    /// <summary>It went on where it had stopped.</summary>
    WentOn,

    /// <summary>It was complete already.</summary>
    Skipped,

    /// <summary>It is complete now.</summary>
    Finished,

    /// <summary>It was cancelled or failed.</summary>
    Stopped,
}
