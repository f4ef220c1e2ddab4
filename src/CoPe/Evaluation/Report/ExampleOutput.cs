namespace CoPe.Evaluation.Report;

/// <summary>What one method answered to a query.</summary>
public sealed record ExampleOutput
{
    /// <summary>Method, for example <c>CoPe</c>.</summary>
    public required string Method { get; init; }

    /// <summary>The prediction; may be empty, which is said in words.</summary>
    public required string Text { get; init; }

    /// <summary>Score of this prediction in a metric of the caller's choice, or null where it was not kept.</summary>
    public double? Score { get; init; }
}
