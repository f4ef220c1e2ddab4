namespace CoPe.Data.Checking;

/// <summary>What a check came to.</summary>
public sealed record CheckReport
{
    /// <summary>The task's name.</summary>
    public required string Task { get; init; }

    /// <summary>The files of users, test users first.</summary>
    public required IReadOnlyList<CheckedFile> Files { get; init; }

    /// <summary>What was found.</summary>
    public required CheckFindings Findings { get; init; }

    /// <summary>Lengths by kind: <c>history input</c>, <c>history answer</c>, <c>query</c>, <c>gold</c>, in words.</summary>
    public required IReadOnlyDictionary<string, TextLengths> Words { get; init; }

    /// <summary>Tokens of whole examples by stage: prompt and answer of history items and training queries, prompts of test queries; empty without a model.</summary>
    public required IReadOnlyDictionary<string, TextLengths> Tokens { get; init; }

    /// <summary>Texts by language, the commonest first.</summary>
    public required IReadOnlyList<KeyValuePair<string, int>> Languages { get; init; }

    /// <summary>What a run will cut off, in words; empty where it is nothing.</summary>
    public required IReadOnlyList<string> Truncations { get; init; }

    /// <summary>A clean copy was written.</summary>
    public bool IsFixed { get; init; }
}
