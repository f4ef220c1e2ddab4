namespace CoPe.Evaluation.Report;

/// <summary>Mean of one metric of one method over the queries of one user.</summary>
public sealed record UserScore
{
    /// <summary>The user's id.</summary>
    public required string User { get; init; }

    /// <summary>Method, for example <c>CoPe</c>.</summary>
    public required string Method { get; init; }

    /// <summary>Metric, for example <c>ROUGE-L</c>.</summary>
    public required string Metric { get; init; }

    /// <summary>Mean over the user's queries.</summary>
    public required double Value { get; init; }
}
