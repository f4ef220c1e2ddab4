namespace CoPe.Evaluation;

/// <summary>Which way a metric gets better.</summary>
public enum MetricDirection
{
    /// <summary>More is better.</summary>
    Higher,

    /// <summary>Less is better.</summary>
    Lower,

    /// <summary>Neither: it describes the text.</summary>
    Neutral,
}
