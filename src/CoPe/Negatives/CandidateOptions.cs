using CoPe.Decoding;

namespace CoPe.Negatives;

/// <summary>How candidates for rejected answers are drawn. Defaults are the paper's (CoPe section 3.2).</summary>
public sealed record CandidateOptions
{
    /// <summary>Candidates wanted per history item.</summary>
    public int Count { get; init => field = value >= 1 ? value : throw new ArgumentOutOfRangeException(nameof(Count), value, $"Candidates per item are {value}; at least 1 is needed."); } = 3;

    /// <summary>How often those of an item that cannot be used (empty, or the user's own text) are drawn again.</summary>
    public int Redraws { get; init => field = value >= 0 ? value : throw new ArgumentOutOfRangeException(nameof(Redraws), value, $"Redraws are {value}; 0 is the least."); } = 3;

    /// <summary>How tokens are drawn.</summary>
    public DecodingOptions Decoding { get; init; } = new() { Sample = true, Temperature = 1.0, TopP = 0.95, TopK = 0 };
}
