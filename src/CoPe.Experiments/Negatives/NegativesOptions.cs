using System.ComponentModel.DataAnnotations;
using CoPe.Decoding;

namespace CoPe.Experiments.Negatives;

/// <summary>
/// How rejected answers for each user's own texts are made. Defaults are the paper's (CoPe section 3.2).
/// </summary>
public sealed record NegativesOptions
{
    /// <summary>Where they come from.</summary>
    public NegativeKind Kind { get; init; } = NegativeKind.Pseudo;

    /// <summary>Answers sampled per history item.</summary>
    [Range(1, 64)]
    public int Candidates
    {
        get;
        init => field = OptionGuard.Check(typeof(NegativesOptions), value);
    } = 3;

    /// <summary>Most history items per user that get candidates, the latest first; null takes all.</summary>
    [Range(1, int.MaxValue)]
    public int? ItemsPerUser
    {
        get;
        init => field = OptionGuard.Check(typeof(NegativesOptions), value);
    }

    /// <summary>Sampling temperature.</summary>
    [Range(0.0, 100.0, MinimumIsExclusive = true)]
    public double Temperature
    {
        get;
        init => field = OptionGuard.Check(typeof(NegativesOptions), value);
    } = 1.0;

    /// <summary>Nucleus from which tokens are sampled.</summary>
    [Range(0.0, 1.0, MinimumIsExclusive = true)]
    public double TopP
    {
        get;
        init => field = OptionGuard.Check(typeof(NegativesOptions), value);
    } = 0.95;

    /// <summary>Most tokens of a candidate; null takes the task's.</summary>
    [Range(1, int.MaxValue)]
    public int? MaxNewTokens
    {
        get;
        init => field = OptionGuard.Check(typeof(NegativesOptions), value);
    }

    /// <summary>Which candidate is rejected.</summary>
    public NegativeSelection Select { get; init; } = NegativeSelection.Max;

    /// <summary>How log-probabilities are reduced.</summary>
    public RewardKind Reward { get; init; } = RewardKind.Sum;

    /// <summary>Tokens the reward counts.</summary>
    public RewardSpan Span { get; init; } = RewardSpan.Response;

    /// <summary>
    /// How often candidates that cannot be used (empty, or the user's own text) are sampled again.
    /// </summary>
    [CodeOnly, Range(0, int.MaxValue)]
    public int Redraws
    {
        get;
        init => field = OptionGuard.Check(typeof(NegativesOptions), value);
    } = 3;

    /// <summary>How tokens are sampled.</summary>
    /// <exception cref="InvalidOperationException"><see cref="MaxNewTokens"/> is not set.</exception>
    public DecodingOptions CreateDecodingOptions() =>
        new()
        {
            DoSample = true,
            Temperature = Temperature,
            TopP = TopP,
            TopK = 0,
            MaxNewTokens =
                MaxNewTokens
                ?? throw new InvalidOperationException($"{nameof(MaxNewTokens)} is not set; take the task's."),
        };
}
