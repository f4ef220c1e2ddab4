namespace CoPe.Runs.Examples;

/// <summary>What training does with tokens.</summary>
public enum SeenKind
{
    /// <summary>Read; the loss does not count them.</summary>
    Masked,

    /// <summary>Learned, or preferred.</summary>
    Learned,

    /// <summary>Turned away from.</summary>
    Rejected,
}
