using System.ComponentModel.DataAnnotations;

namespace CoPe.Experiments.Runs.Chat;

/// <summary>How a chat answers a line. What is null is taken from the run's recipe.</summary>
public sealed record ChatSessionOptions
{
    /// <summary>
    /// Weight of the task-adaptive model's log-probability, as in <c>decode.contrast</c>; 0 is the user's model alone.
    /// </summary>
    [Range(0.0, 10.0)]
    public double Contrast
    {
        get;
        init => field = OptionGuard.Check(typeof(ChatSessionOptions), value);
    } = 0.1;

    /// <summary>
    /// Highest probability of the task-adaptive model's beyond which the user's model chooses alone, as in
    /// <c>decode.contrast_unless_certain</c>; 1 contrasts everywhere.
    /// </summary>
    [Range(0.0, 1.0)]
    public double? ContrastUnlessCertain
    {
        get;
        init => field = OptionGuard.Check(typeof(ChatSessionOptions), value);
    }

    /// <summary>
    /// Share of the most likely token's probability that a token needs, as in <c>decode.plausibility</c>.
    /// </summary>
    [Range(0.0, 1.0)]
    public double? Plausibility
    {
        get;
        init => field = OptionGuard.Check(typeof(ChatSessionOptions), value);
    }

    /// <summary>Divisor of scores before drawing; 0 takes the best token instead of drawing one.</summary>
    [Range(0.0, 100.0)]
    public double? Temperature
    {
        get;
        init => field = OptionGuard.Check(typeof(ChatSessionOptions), value);
    }

    /// <summary>Seed of what is drawn.</summary>
    public long? Seed { get; init; }

    /// <summary>Maximum tokens of an answer.</summary>
    [Range(1, int.MaxValue)]
    public int? MaxNewTokens
    {
        get;
        init => field = OptionGuard.Check(typeof(ChatSessionOptions), value);
    }

    /// <summary>
    /// Words the first line of a conversation as the task words a history item, which is what the adapter was trained
    /// on; otherwise the line is the whole request.
    /// </summary>
    public bool UsesTaskPrompt { get; init; } = true;

    /// <summary>Earlier lines and answers stand in the prompt; otherwise every line is a request by itself.</summary>
    public bool IncludesEarlierTurns { get; init; } = true;

    /// <summary>The base model answers too.</summary>
    public bool IncludesBase { get; init; } = true;

    /// <summary>The models that answer.</summary>
    internal IReadOnlyList<ChatModelKind> Models =>
        IncludesBase ? [ChatModelKind.Base, ChatModelKind.Personalized] : [ChatModelKind.Personalized];
}

/// <summary>The models that answer in a chat.</summary>
public enum ChatModelKind
{
    /// <summary>The model without any adapter.</summary>
    Base,

    /// <summary>The user's model, contrasted with the task-adaptive model.</summary>
    Personalized,
}
