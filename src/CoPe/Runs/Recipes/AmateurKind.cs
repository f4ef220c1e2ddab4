namespace CoPe.Runs.Recipes;

/// <summary>The amateur of contrastive decoding.</summary>
public enum AmateurKind
{
    /// <summary>The task-adaptive model (the paper's).</summary>
    Tam,

    /// <summary>The base model without any adapter.</summary>
    Base,

    /// <summary>The user's SFT adapter on the task-adaptive model.</summary>
    Sft,
}
