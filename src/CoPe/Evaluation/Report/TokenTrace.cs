namespace CoPe.Evaluation.Report;

/// <summary>A prediction token by token.</summary>
public sealed record TokenTrace
{
    /// <summary>The user's id.</summary>
    public required string User { get; init; }

    /// <summary>The query's id.</summary>
    public required string Query { get; init; }

    /// <summary>The input of the query; may be empty.</summary>
    public string Input { get; init; } = "";

    /// <summary>The user's own text; may be empty.</summary>
    public string Gold { get; init; } = "";

    /// <summary>The method that wrote the prediction, for example <c>CoPe</c>.</summary>
    public string Method { get; init; } = "";

    /// <summary>The tokens in order.</summary>
    public IReadOnlyList<TokenScore> Tokens { get; init; } = [];
}
