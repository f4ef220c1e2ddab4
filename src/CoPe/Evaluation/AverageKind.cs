namespace CoPe.Evaluation;

/// <summary>How the values of queries become one number.</summary>
public enum AverageKind
{
    /// <summary>Their plain mean.</summary>
    PlainMean,

    /// <summary>For ROUGE the median of the means of 1,000 resamples, as Hugging Face's <c>evaluate</c> and so the reference report it; else the plain mean.</summary>
    BootstrapMedian,
}
