namespace CoPe.Data;

/// <summary>One user: his history, oldest first, and the queries to answer in his manner.</summary>
public sealed record LampUser
{
    /// <summary>Identifier, unique within the file.</summary>
    public required string Id { get; init; }

    /// <summary>Name, where the file gives one.</summary>
    public string? Name { get; init; }

    /// <summary>The history, oldest first.</summary>
    public required IReadOnlyList<HistoryItem> Profile { get; init; }

    /// <summary>The queries, oldest first.</summary>
    public required IReadOnlyList<LampQuery> Queries { get; init; }
}
