namespace CoPe.Evaluation.Report;

/// <summary>How well one adapter predicts the users' gold texts: <c>-log p(y|x) / |y|</c>, in nats per token.</summary>
public sealed record GoldLikelihood
{
    /// <summary>Adapter, for example <c>base</c>, <c>TAM</c>, <c>SFT</c> or <c>DPO</c>.</summary>
    public required string Adapter { get; init; }

    /// <summary>Mean negative log-likelihood per token; lower is better.</summary>
    public required double NegativeLogLikelihood { get; init; }

    /// <summary>Standard error of the mean; NaN where it is unknown.</summary>
    public double StandardError { get; init; } = double.NaN;

    /// <summary>Number of texts averaged.</summary>
    public int Count { get; init; }
}
