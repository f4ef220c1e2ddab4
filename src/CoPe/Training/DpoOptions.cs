using System.ComponentModel.DataAnnotations;

namespace CoPe.Training;

/// <summary>What preference optimization adds to <see cref="TrainingOptions"/>; defaults are the paper's.</summary>
public sealed record DpoOptions
{
    /// <summary>Strength of the tie to the reference; the reference implementation's <c>beta</c>.</summary>
    [Range(0.0, double.MaxValue, MinimumIsExclusive = true)]
    public double Beta
    {
        get;
        init => field = OptionGuard.Check(typeof(DpoOptions), value);
    } = 0.01;

    /// <summary>The loss of a pair.</summary>
    public DpoLossKind Loss { get; init; } = DpoLossKind.Sigmoid;

    /// <summary>
    /// Probability that a pair is labeled the wrong way round; only <see cref="DpoLossKind.Sigmoid"/> knows it.
    /// </summary>
    [Range(0.0, 0.5, MaximumIsExclusive = true)]
    public double LabelSmoothing
    {
        get;
        init => field = OptionGuard.Check(typeof(DpoOptions), value);
    }

    /// <summary>
    /// Weight of the chosen answers' negative log-likelihood, the mean over their tokens in the batch, added to the
    /// loss (after Pang et al. 2024, arXiv 2404.19733, equation 2; <c>rpo_alpha</c> of TRL 0.13); null adds none.
    /// </summary>
    [Range(0.0, double.MaxValue, MinimumIsExclusive = true)]
    public double? RpoAlpha
    {
        get;
        init => field = OptionGuard.Check(typeof(DpoOptions), value);
    }

    /// <summary>What the policy is measured against.</summary>
    public DpoReference Reference { get; init; } = DpoReference.Tam;

    /// <summary>Label smoothing is set for a loss that has none.</summary>
    internal bool HasUnusedLabelSmoothing => LabelSmoothing > 0 && Loss != DpoLossKind.Sigmoid;

    /// <summary>Throws if options contradict each other.</summary>
    /// <exception cref="ArgumentException">Label smoothing is set for a loss that has none.</exception>
    public void Validate()
    {
        if (HasUnusedLabelSmoothing)
        {
            throw new ArgumentException(
                $"dpo label smoothing is {LabelSmoothing}, but the loss {Loss} has none; "
                    + "set it to 0 or take the loss Sigmoid."
            );
        }
    }
}

/// <summary>Which loss of a preference pair's log-ratio is minimized.</summary>
public enum DpoLossKind
{
    /// <summary>DPO's own: <see cref="DpoLoss.Sigmoid"/>.</summary>
    Sigmoid,

    /// <summary><see cref="DpoLoss.Ipo"/>, over log-probabilities per token.</summary>
    Ipo,

    /// <summary><see cref="DpoLoss.Hinge"/>.</summary>
    Hinge,
}

/// <summary>Which model the policy is measured against.</summary>
public enum DpoReference
{
    /// <summary>
    /// The task-adaptive model, that is, the policy without its user's adapter: what TRL 0.13, and so the reference
    /// implementation, does.
    /// </summary>
    Tam,

    /// <summary>The user's adapter as training found it: what TRL 0.29 and newer do.</summary>
    Sft,
}
