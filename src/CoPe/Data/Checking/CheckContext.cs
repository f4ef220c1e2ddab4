using CoPe.Data.Tasks;

namespace CoPe.Data.Checking;

/// <summary>What a check knows across files.</summary>
sealed record CheckContext
{
    public required TaskDefinition Definition { get; init; }

    public required CheckFindings Findings { get; init; }

    public required CheckStatistics Statistics { get; init; }

    public required LeakIndex Index { get; init; }

    /// <summary>Ids of the test users.</summary>
    public HashSet<string> TestUsers { get; } = [];

    /// <summary>The label file.</summary>
    public required IReadOnlyDictionary<string, string> Golds { get; init; }

    /// <summary>Labels for which no query was seen yet.</summary>
    public required HashSet<string> UnusedLabels { get; init; }
}
