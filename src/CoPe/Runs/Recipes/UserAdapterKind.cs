namespace CoPe.Runs.Recipes;

/// <summary>Which of a user's adapters is worn.</summary>
public enum UserAdapterKind
{
    /// <summary>None.</summary>
    None,

    /// <summary>The one of stage 2.</summary>
    Sft,

    /// <summary>The one of stage 4.</summary>
    Dpo,
}
