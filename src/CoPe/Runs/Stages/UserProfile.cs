namespace CoPe.Runs.Stages;

/// <summary>A line of <c>profiles.jsonl</c>: how the model describes a user from his history.</summary>
sealed record UserProfile
{
    /// <summary>The user.</summary>
    public required string User { get; init; }

    /// <summary>The description; empty where no item of his history fits into a prompt.</summary>
    public required string Profile { get; init; }
}
