using System.ComponentModel.DataAnnotations;
using CoPe.Evaluation;

namespace CoPe.Runs.Recipes;

/// <summary>Stage 6: how predictions are measured.</summary>
public sealed record EvaluateSettings
{
    /// <summary>Compare stems instead of words in ROUGE.</summary>
    public bool Stemmer { get; init; }

    /// <summary>How values of queries become one number; the reference reports the median of an unseeded bootstrap.</summary>
    public AverageKind Average { get; init; }

    /// <summary>Resamples of the paired bootstrap between methods.</summary>
    [Range(100, 1_000_000)]
    public int Resamples { get; init; } = 1000;

    /// <summary>Also measure the gold's negative log-likelihood per token under every model, and how often the implicit reward ranks the user's own text above the candidates.</summary>
    public bool Likelihood { get; init; } = true;
}
