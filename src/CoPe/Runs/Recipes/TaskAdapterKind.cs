namespace CoPe.Runs.Recipes;

/// <summary>Which adapter for the task is worn.</summary>
public enum TaskAdapterKind
{
    /// <summary>None: the base model.</summary>
    None,

    /// <summary>The one trained on the other users' queries: the task-adaptive model.</summary>
    Others,

    /// <summary>The one trained on these and on the histories of the users themselves, all in one.</summary>
    Everyone,
}
