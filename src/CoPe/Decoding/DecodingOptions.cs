using System.ComponentModel.DataAnnotations;

namespace CoPe.Decoding;

/// <summary>
/// How tokens are chosen. Defaults are the paper's (CoPe, EMNLP 2025) with the contrast of its released code.
/// </summary>
/// <example>
/// <code>
/// var options = new DecodingOptions
/// {
///     Contrast = 0.1, // how much of the amateur's log-probability is subtracted
///     Plausibility = 0.1, // tokens below a tenth of the most likely one's probability are out
///     MaxNewTokens = 64,
/// };
/// </code>
/// </example>
public sealed record DecodingOptions
{
    /// <summary>
    /// Most tokens to generate for one answer. Reference: <c>max_length</c>, 100 for titles and headlines, 600 for long
    /// texts.
    /// </summary>
    [Range(1, int.MaxValue)]
    public int MaxNewTokens
    {
        get;
        init => field = OptionGuard.Check(typeof(DecodingOptions), value);
    } = 100;

    /// <summary>
    /// Weight of the amateur's log-probability; 0 leaves the expert alone. Reference flag: <c>contrastive_alpha</c>.
    /// Used only where a request has an amateur.
    /// </summary>
    [Range(0.0, 10.0)]
    public double Contrast
    {
        get;
        init => field = OptionGuard.Check(typeof(DecodingOptions), value);
    } = 0.1;

    /// <summary>
    /// Where the amateur's highest probability exceeds this, the expert's own choice is taken, without contrast; null
    /// (the paper's) and 1 contrast everywhere. The amateur's probabilities are those before any repetition penalty.
    /// </summary>
    [InputUnlessDefault, Range(0.0, 1.0)]
    public double? ContrastUnlessCertain
    {
        get;
        init => field = OptionGuard.Check(typeof(DecodingOptions), value);
    }

    /// <summary>
    /// Share of the expert's highest probability that a token needs to be in the plausible head; 0 lets all in.
    /// Reference flag: <c>plausability_alpha</c>.
    /// </summary>
    [Range(0.0, 1.0)]
    public double Plausibility
    {
        get;
        init => field = OptionGuard.Check(typeof(DecodingOptions), value);
    } = 0.1;

    /// <summary>
    /// The reference's arithmetic: 1e-8 is added inside every logarithm, so tokens outside the head score log(1e-8)
    /// instead of minus infinity.
    /// </summary>
    public bool ReferenceEpsilon { get; init; }

    /// <summary>
    /// Divisor of positive and factor of negative scores of tokens that stand in prompt or answer; 1 is none.
    /// </summary>
    [Range(0.0, 10.0, MinimumIsExclusive = true)]
    public double RepetitionPenalty
    {
        get;
        init => field = OptionGuard.Check(typeof(DecodingOptions), value);
    } = 1.0;

    /// <summary>What the penalty acts on where a request has an amateur.</summary>
    public RepetitionPenaltyTarget Penalize { get; init; }

    /// <summary>Draw tokens instead of taking the best one. Reference flag: <c>do_sample</c>.</summary>
    public bool DoSample { get; init; }

    /// <summary>Divisor of scores before drawing.</summary>
    [Range(0.0, 100.0, MinimumIsExclusive = true)]
    public double Temperature
    {
        get;
        init => field = OptionGuard.Check(typeof(DecodingOptions), value);
    } = 0.3;

    /// <summary>Draw among this many best tokens; 0 is all.</summary>
    [Range(0, int.MaxValue)]
    public int TopK
    {
        get;
        init => field = OptionGuard.Check(typeof(DecodingOptions), value);
    } = 50;

    /// <summary>Draw among the fewest best tokens that hold this probability; 1 is all.</summary>
    [Range(0.0, 1.0, MinimumIsExclusive = true)]
    public double TopP
    {
        get;
        init => field = OptionGuard.Check(typeof(DecodingOptions), value);
    } = 0.95;

    /// <summary>Texts that end an answer; the answer keeps them.</summary>
    [CodeOnly]
    public IReadOnlyList<string> StopStrings
    {
        get;
        init =>
            field = value.All(text => text.Length > 0)
                ? value
                : throw new ArgumentException("A stop string is empty; every one needs a character.", nameof(value));
    } = [];

    /// <summary>What each earlier occurrence of a token in the answer takes from its logit under the expert.</summary>
    [CodeOnly, Range(-2.0, 2.0)]
    public double FrequencyPenalty
    {
        get;
        init => field = OptionGuard.Check(typeof(DecodingOptions), value);
    }

    /// <summary>What a token that stands in the answer loses of its logit under the expert, however often.</summary>
    [CodeOnly, Range(-2.0, 2.0)]
    public double PresencePenalty
    {
        get;
        init => field = OptionGuard.Check(typeof(DecodingOptions), value);
    }

    /// <summary>What is added to the expert's logits of some tokens, by id.</summary>
    [CodeOnly]
    public IReadOnlyDictionary<int, double> LogitBias { get; init; } = NoBias;

    /// <summary>Whether anything changes the expert's logits before tokens are chosen by them.</summary>
    internal bool ChangesLogits => FrequencyPenalty != 0 || PresencePenalty != 0 || LogitBias.Count > 0;

    static readonly IReadOnlyDictionary<int, double> NoBias = new Dictionary<int, double>();
}
