namespace CoPe.Experiments.Tasks;

/// <summary>One text of a user's history: the fields of the task's item, by their names in the file.</summary>
public sealed record HistoryItem
{
    /// <summary>Identifier, unique within the user.</summary>
    public required string Id { get; init; }

    /// <summary>Field name to text, for example <c>abstract</c> and <c>title</c>.</summary>
    public required IReadOnlyDictionary<string, string> Fields { get; init; }
}

/// <summary>
/// One question about a user: the input as the benchmark words it, and the text the user really wrote.
/// </summary>
public sealed record LampQuery
{
    /// <summary>Identifier, unique within the task.</summary>
    public required string Id { get; init; }

    /// <summary>The request in the benchmark's wording.</summary>
    public required string Input { get; init; }

    /// <summary>The user's own text; empty where the file holds none.</summary>
    public string Gold { get; init; } = "";
}
