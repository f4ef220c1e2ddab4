namespace CoPe.Experiments.Report;

/// <summary>A prediction token by token.</summary>
sealed record TokenTrace
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

/// <summary>One token of a prediction as expert and amateur saw it.</summary>
sealed record TokenScore
{
    /// <summary>The token's text, spaces included.</summary>
    public required string Text { get; init; }

    /// <summary>log p of the token under the expert, in nats.</summary>
    public required double ExpertLogProbability { get; init; }

    /// <summary>log p of the token under the amateur, in nats.</summary>
    public required double AmateurLogProbability { get; init; }

    /// <summary>
    /// The amateur was certain at this place, so that the expert's own choice was taken
    /// (<c>decode.contrast_unless_certain</c>).
    /// </summary>
    public bool WithoutContrast { get; init; }

    /// <summary>
    /// The tokens that the expert alone finds likeliest, best first; empty where they were not recorded.
    /// </summary>
    public IReadOnlyList<TokenAlternative> ExpertBest { get; init; } = [];

    /// <summary>
    /// The tokens that the amateur alone finds likeliest, best first; empty where they were not recorded.
    /// </summary>
    public IReadOnlyList<TokenAlternative> AmateurBest { get; init; } = [];

    /// <summary>
    /// The token the expert alone ranks first where it is another one; null where it is this one or was not recorded.
    /// </summary>
    public string? ExpertAlternative => Other(ExpertBest);

    /// <summary>
    /// The token the amateur alone ranks first where it is another one; null where it is this one or was not recorded.
    /// </summary>
    public string? AmateurAlternative => Other(AmateurBest);

    /// <summary>log p_expert - log p_amateur.</summary>
    public double Difference => ExpertLogProbability - AmateurLogProbability;

    string? Other(IReadOnlyList<TokenAlternative> best) => best.Count > 0 && best[0].Text != Text ? best[0].Text : null;
}

/// <summary>A token that a model could have written at some place.</summary>
/// <param name="Text">Its text.</param>
/// <param name="LogProbability">log p of it, in nats.</param>
sealed record TokenAlternative(string Text, double LogProbability);
