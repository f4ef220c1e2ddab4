namespace CoPe.Data;

/// <summary>One text of a user's history: the fields of the task's item, by their names in the file.</summary>
public sealed record HistoryItem
{
    /// <summary>Identifier, unique within the user.</summary>
    public required string Id { get; init; }

    /// <summary>Field name to text, for example <c>abstract</c> and <c>title</c>.</summary>
    public required IReadOnlyDictionary<string, string> Fields { get; init; }
}
