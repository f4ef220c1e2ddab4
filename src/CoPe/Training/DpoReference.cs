namespace CoPe.Training;

/// <summary>Which model the policy is measured against.</summary>
public enum DpoReference
{
    /// <summary>The task-adaptive model, that is, the policy without its user's adapter: what TRL 0.13, and so the reference implementation, does.</summary>
    Tam,

    /// <summary>The user's adapter as training found it: what TRL 0.29 and newer do.</summary>
    Sft,
}
