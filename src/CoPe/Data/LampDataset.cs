namespace CoPe.Data;

/// <summary>A task's files: the users to personalise for, and the others whose queries train the task-adaptive model.</summary>
public sealed record LampDataset
{
    /// <summary>The task.</summary>
    public required LampTask Task { get; init; }

    /// <summary>Users of <c>user_top_100_history.json</c>, in file order, golds filled in from the label file.</summary>
    public required IReadOnlyList<LampUser> Users { get; init; }

    /// <summary>Users of <c>user_others.json</c>, in file order.</summary>
    public required IReadOnlyList<LampUser> Others { get; init; }
}
