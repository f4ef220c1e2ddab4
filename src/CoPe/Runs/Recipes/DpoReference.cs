namespace CoPe.Runs.Recipes;

/// <summary>Reference policy of preference training.</summary>
public enum DpoReference
{
    /// <summary>The task-adaptive model, as trl 0.13 with a disabled adapter (the paper's).</summary>
    Tam,

    /// <summary>The user's SFT adapter before preference training.</summary>
    Sft,
}
