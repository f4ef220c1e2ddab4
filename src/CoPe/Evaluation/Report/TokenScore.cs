namespace CoPe.Evaluation.Report;

/// <summary>One token of a prediction as expert and amateur saw it.</summary>
public sealed record TokenScore
{
    /// <summary>The token's text, spaces included.</summary>
    public required string Text { get; init; }

    /// <summary>log p of the token under the expert, in nats.</summary>
    public required double ExpertLogProbability { get; init; }

    /// <summary>log p of the token under the amateur, in nats.</summary>
    public required double AmateurLogProbability { get; init; }

    /// <summary>The token the expert alone ranks first where it is another one; null where it is this one or was not recorded.</summary>
    public string? ExpertAlternative { get; init; }

    /// <summary>The token the amateur alone ranks first where it is another one; null where it is this one or was not recorded.</summary>
    public string? AmateurAlternative { get; init; }

    /// <summary>log p_expert - log p_amateur.</summary>
    public double Difference => ExpertLogProbability - AmateurLogProbability;
}
