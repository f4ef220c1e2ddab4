using System.Text.Json.Serialization;

namespace CoPe.Runs.Stages;

/// <summary>A line of <c>negatives/candidates.jsonl</c>: answers sampled from the task-adaptive model for one history item.</summary>
sealed record ItemCandidates
{
    /// <summary>The user.</summary>
    public required string User { get; init; }

    /// <summary>The history item.</summary>
    public required string Item { get; init; }

    /// <summary>The answers, each non-empty, different from each other and from the user's own text.</summary>
    public required IReadOnlyList<string> Candidates { get; init; }

    /// <summary>The endpoint that answered (<see cref="CoPe.Negatives.CandidateEndpoint.Name"/>); null where the run's own model did, or other users' texts were borrowed.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Source { get; init; }
}
