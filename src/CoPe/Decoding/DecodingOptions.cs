namespace CoPe.Decoding;

/// <summary>
/// How tokens are chosen. Defaults are the paper's (CoPe, EMNLP 2025) with the contrast of its released code.
/// </summary>
public sealed record DecodingOptions
{
    /// <summary>
    /// Most tokens to generate for one answer. Reference: <c>max_length</c>, 100 for titles and headlines, 600 for long
    /// texts.
    /// </summary>
    public int MaxNewTokens
    {
        get;
        init => field = Check(value, value >= 1, nameof(MaxNewTokens), "at least 1");
    } = 100;

    /// <summary>
    /// Weight of the amateur's log-probability; 0 leaves the expert alone. Reference flag: <c>contrastive_alpha</c>.
    /// Used only where a request has an amateur.
    /// </summary>
    public double Contrast
    {
        get;
        init =>
            field = Check(
                value,
                double.IsFinite(value) && value >= 0,
                nameof(Contrast),
                "a finite number of at least 0"
            );
    } = 0.1;

    /// <summary>
    /// Share of the expert's highest probability that a token needs to be in the plausible head; 0 lets all in.
    /// Reference flag: <c>plausability_alpha</c>.
    /// </summary>
    public double Plausibility
    {
        get;
        init => field = Check(value, value is >= 0 and <= 1, nameof(Plausibility), "between 0 and 1");
    } = 0.1;

    /// <summary>
    /// The reference's arithmetic: 1e-8 is added inside every logarithm, so tokens outside the head score log(1e-8)
    /// instead of minus infinity.
    /// </summary>
    public bool ReferenceEpsilon { get; init; }

    /// <summary>
    /// Divisor of positive and factor of negative scores of tokens that stand in prompt or answer; 1 is none.
    /// </summary>
    public double RepetitionPenalty
    {
        get;
        init =>
            field = Check(
                value,
                double.IsFinite(value) && value > 0,
                nameof(RepetitionPenalty),
                "a finite number above 0"
            );
    } = 1.0;

    /// <summary>What the penalty acts on where a request has an amateur.</summary>
    public RepetitionPenaltyTarget Penalize { get; init; }

    /// <summary>Draw tokens instead of taking the best one. Reference flag: <c>do_sample</c>.</summary>
    public bool DoSample { get; init; }

    /// <summary>Divisor of scores before drawing.</summary>
    public double Temperature
    {
        get;
        init =>
            field = Check(
                value,
                double.IsFinite(value) && value > 0,
                nameof(Temperature),
                "a finite number above 0; for the best token leave Sample off"
            );
    } = 0.3;

    /// <summary>Draw among this many best tokens; 0 is all.</summary>
    public int TopK
    {
        get;
        init => field = Check(value, value >= 0, nameof(TopK), "at least 0");
    } = 50;

    /// <summary>Draw among the fewest best tokens that hold this probability; 1 is all.</summary>
    public double TopP
    {
        get;
        init => field = Check(value, value is > 0 and <= 1, nameof(TopP), "above 0 and at most 1");
    } = 0.95;

    /// <summary>Texts that end an answer; the answer keeps them.</summary>
    public IReadOnlyList<string> StopStrings
    {
        get;
        init => field = Check(value, value.All(text => text.Length > 0), nameof(StopStrings), "without an empty text");
    } = [];

    static T Check<T>(T value, bool valid, string name, string expected) =>
        valid
            ? value
            : throw new ArgumentOutOfRangeException(
                name,
                value,
                $"Decoding option {name} is {value}; it must be {expected}."
            );
}
