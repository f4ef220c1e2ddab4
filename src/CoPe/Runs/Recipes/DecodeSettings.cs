using System.ComponentModel.DataAnnotations;
using CoPe.Decoding;

namespace CoPe.Runs.Recipes;

/// <summary>Stage 5: how answers are written.</summary>
public sealed record DecodeSettings
{
    /// <summary>Number type of the weights while predicting and in a chat; auto takes <c>decode_dtype</c>. int8 is lossy, for the processor alone.</summary>
    public WeightDtype Dtype { get; init; } = WeightDtype.Auto;

    /// <summary>Weight of the amateur's log-probability in contrastive decoding (the paper's alpha).</summary>
    [Range(0.0, 10.0)]
    public double Contrast { get; init; } = 0.1;

    /// <summary>Share of the expert's best probability a token needs to be plausible.</summary>
    [Range(0.0, 1.0)]
    public double Plausibility { get; init; } = 0.1;

    /// <summary>Repetition penalty; null takes the task's.</summary>
    [Range(0, 10, MinimumIsExclusive = true)]
    public double? RepetitionPenalty { get; init; }

    /// <summary>What the repetition penalty acts on in contrastive decoding: the score, as in the reference, or the logits of both models before it.</summary>
    public PenaltyPlace Penalize { get; init; } = PenaltyPlace.Score;

    /// <summary>Most tokens of an answer; null takes the task's.</summary>
    [Range(1, int.MaxValue)]
    public int? MaxNewTokens { get; init; }

    /// <summary>Sample instead of taking the best token.</summary>
    public bool DoSample { get; init; }

    /// <summary>Sampling temperature, where <see cref="DoSample"/> is set.</summary>
    [Range(0, 100, MinimumIsExclusive = true)]
    public double Temperature { get; init; } = 0.3;

    /// <summary>Number of best tokens sampled from, where <see cref="DoSample"/> is set; 0 takes all.</summary>
    [Range(0, int.MaxValue)]
    public int TopK { get; init; } = 50;

    /// <summary>Nucleus sampled from, where <see cref="DoSample"/> is set.</summary>
    [Range(0, 1, MinimumIsExclusive = true)]
    public double TopP { get; init; } = 0.95;

    /// <summary>Answers drawn per query, where <see cref="DoSample"/> is set; figures are their mean.</summary>
    [Range(1, 1000)]
    public int Runs { get; init; } = 1;

    /// <summary>The amateur.</summary>
    public AmateurKind Amateur { get; init; } = AmateurKind.Tam;

    /// <summary>Most rows of one pass, an expert and its amateur being two; null (<c>auto</c>) lets the engine choose.</summary>
    [SpeedOnly, Range(2, int.MaxValue)]
    public int? MaxRows { get; init; }

    /// <summary>Score implausible tokens with log(1e-8) as the reference code does, instead of excluding them.</summary>
    public bool ReferenceEpsilon { get; init; }
}
