namespace CoPe.Decoding;

/// <summary>Whose distribution the expert's is contrasted with.</summary>
public enum AmateurChoice
{
    /// <summary>Nobody's: plain decoding, one row.</summary>
    None,

    /// <summary>The task-adaptive model's: the task adapter without the user's, as in the paper.</summary>
    TaskAdaptiveModel,

    /// <summary>The base model's: no adapter.</summary>
    Base,
}
