namespace CoPe.Evaluation.Report;

/// <summary>Two methods the report sets against each other user by user.</summary>
public sealed record MethodComparison
{
    /// <summary>The method whose gain is shown, for example <c>CoPe</c>.</summary>
    public required string Method { get; init; }

    /// <summary>The method it is measured against, for example <c>TAM</c>.</summary>
    public required string Baseline { get; init; }
}
