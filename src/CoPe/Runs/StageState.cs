namespace CoPe.Runs;

/// <summary>Where a stage stands under a recipe.</summary>
public enum StageState
{
    /// <summary>Not begun, or nothing of it is left.</summary>
    Missing,

    /// <summary>Begun on the same inputs; it goes on where it stopped.</summary>
    Interrupted,

    /// <summary>Made or begun on other inputs, or its outputs are damaged; it starts again.</summary>
    Stale,

    /// <summary>Whole and current.</summary>
    Complete,
}
