namespace CoPe.Decoding;

/// <summary>The adapters that one row wears, the task's below and a user's above.</summary>
/// <param name="Task">Whether it wears the task adapter.</param>
/// <param name="User">Index in the user bank, or -1 for none.</param>
public readonly record struct WornAdapters(bool Task, int User = -1)
{
    /// <summary>The base model: no adapter.</summary>
    public static WornAdapters Base => new(false);

    /// <summary>The task-adaptive model: the task adapter alone.</summary>
    public static WornAdapters TaskAdaptiveModel => new(true);
}
