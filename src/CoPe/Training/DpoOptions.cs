namespace CoPe.Training;

/// <summary>What preference optimisation adds to <see cref="TrainingOptions"/>; defaults are the paper's.</summary>
public sealed record DpoOptions
{
    /// <summary>Strength of the tie to the reference; the reference implementation's <c>beta</c>.</summary>
    public double Beta { get; init => field = OptionCheck.Positive(value, "dpo beta"); } = 0.01;

    /// <summary>The loss of a pair.</summary>
    public DpoLossKind Loss { get; init; } = DpoLossKind.Sigmoid;

    /// <summary>Probability that a pair is labelled the wrong way round; only <see cref="DpoLossKind.Sigmoid"/> knows it.</summary>
    public double LabelSmoothing { get; init => field = OptionCheck.Within(value, 0, 0.5, "dpo label smoothing"); }

    /// <summary>Weight of the chosen answers' negative log-likelihood, the mean over their tokens in the batch, added to the loss (after Pang et al. 2024, arXiv 2404.19733, equation 2; <c>rpo_alpha</c> of TRL 0.13).</summary>
    public double RpoAlpha { get; init => field = OptionCheck.AtLeast(value, 0, "dpo rpo alpha"); }

    /// <summary>What the policy is measured against.</summary>
    public DpoReference Reference { get; init; } = DpoReference.Tam;

    /// <summary>Throws if options contradict each other.</summary>
    /// <exception cref="ArgumentException">Label smoothing is set for a loss that has none.</exception>
    public void Validate()
    {
        if (LabelSmoothing > 0 && Loss != DpoLossKind.Sigmoid)
            throw new ArgumentException($"dpo label smoothing is {LabelSmoothing}, but the loss {Loss} has none; set it to 0 or take the loss Sigmoid.");
    }
}
