namespace CoPe.Decoding;

/// <summary>Limits of scoring: what they change is speed and memory, never a result beyond rounding.</summary>
public sealed record ScoringOptions
{
    /// <summary>Most tokens, padding included, in one pass (a longer row is a pass of its own).</summary>
    public int TokensPerPass { get; init => field = value >= 1 ? value : throw new ArgumentOutOfRangeException(nameof(TokensPerPass), value, "At least one token fits in a pass."); } = 4096;

    /// <summary>Whether the responses of an item may share one row, each seeing the prompt and itself, where that is less work.</summary>
    public bool SharePrompts { get; init; } = true;

    /// <summary>How many of the likeliest tokens are told at each place; 0 tells none. Their computation costs the logits a second time.</summary>
    public int Alternatives { get; init => field = value >= 0 ? value : throw new ArgumentOutOfRangeException(nameof(Alternatives), value, "No fewer than none can be told."); }
}
