using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Data;

/// <summary>
/// A task's files: the users to personalize for, and the others whose queries train the task-adaptive model.
/// </summary>
public sealed record LampDataset
{
    /// <summary>The task.</summary>
    public required LampTask Task { get; init; }

    /// <summary>
    /// Users of <c>user_top_100_history.json</c>, in file order, golds filled in from the label file.
    /// </summary>
    public required IReadOnlyList<LampUser> Users { get; init; }

    /// <summary>Users of <c>user_others.json</c>, in file order.</summary>
    public required IReadOnlyList<LampUser> Others { get; init; }
}

/// <summary>One user: their history, oldest first, and the queries to answer in their style.</summary>
public sealed record LampUser
{
    /// <summary>Identifier, unique within the file.</summary>
    public required string Id { get; init; }

    /// <summary>Name, where the file gives one.</summary>
    public string? Name { get; init; }

    /// <summary>The history, oldest first.</summary>
    public required IReadOnlyList<HistoryItem> History { get; init; }

    /// <summary>The queries, oldest first.</summary>
    public required IReadOnlyList<LampQuery> Queries { get; init; }
}
