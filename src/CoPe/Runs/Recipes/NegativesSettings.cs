using System.ComponentModel.DataAnnotations;
using CoPe.Negatives;

namespace CoPe.Runs.Recipes;

/// <summary>Stage 3: rejected answers for each user's own texts.</summary>
public sealed record NegativesSettings
{
    /// <summary>Where they come from.</summary>
    public NegativeKind Kind { get; init; } = NegativeKind.Pseudo;

    /// <summary>Answers sampled per history item.</summary>
    [Range(1, 64)]
    public int Candidates { get; init; } = 3;

    /// <summary>Most history items per user that get candidates, the latest first; null takes all.</summary>
    [Range(1, int.MaxValue)]
    public int? ItemsPerUser { get; init; }

    /// <summary>Sampling temperature.</summary>
    [Range(0, 100, MinimumIsExclusive = true)]
    public double Temperature { get; init; } = 1.0;

    /// <summary>Nucleus from which tokens are sampled.</summary>
    [Range(0.0, 1.0, MinimumIsExclusive = true)]
    public double TopP { get; init; } = 0.95;

    /// <summary>Most tokens of a candidate; null takes the task's.</summary>
    [Range(1, int.MaxValue)]
    public int? MaxNewTokens { get; init; }

    /// <summary>Which candidate is rejected.</summary>
    public NegativeSelection Select { get; init; } = NegativeSelection.Max;

    /// <summary>How log-probabilities are reduced.</summary>
    public RewardKind Reward { get; init; } = RewardKind.Sum;

    /// <summary>Tokens the reward counts.</summary>
    public RewardSpan Span { get; init; } = RewardSpan.Response;
}
