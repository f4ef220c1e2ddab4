using CoPe.Chat;
using CoPe.Decoding;

namespace CoPe.Experiments.Runs.Chat;

/// <summary>A line of a chat and its answers.</summary>
public sealed record ChatTurn
{
    /// <summary>The line as it was given.</summary>
    public required string Line { get; init; }

    /// <summary>How it was answered.</summary>
    public required ChatSessionOptions Options { get; init; }

    /// <summary>The answer of each model.</summary>
    public required IReadOnlyDictionary<ChatModelKind, ChatAnswer> Answers { get; init; }

    /// <summary>What of the line and of earlier turns did not fit.</summary>
    public required ChatPromptCut Cut { get; init; }

    /// <summary>The line as it stands in the prompts of this turn and of later ones.</summary>
    public required IReadOnlyList<ChatMessage> Request { get; init; }

    /// <summary>The answer of the user's model.</summary>
    public ChatAnswer Personalized => Answers[ChatModelKind.Personalized];

    /// <summary>
    /// The turn as a model of some kind sees it later on; one that had not answered sees the user's answer.
    /// </summary>
    internal IEnumerable<ChatMessage> MessagesFor(ChatModelKind model) =>
        [.. Request, new ChatMessage("assistant", Answers.GetValueOrDefault(model, Personalized).Text)];
}

/// <summary>The answer of one model.</summary>
/// <param name="Text">The answer, extracted as in a prediction.</param>
/// <param name="Prompt">Ids of the prompt.</param>
/// <param name="Ids">Generated ids, a stop id included.</param>
/// <param name="StopReason">Why it ended.</param>
public sealed record ChatAnswer(string Text, IReadOnlyList<int> Prompt, IReadOnlyList<int> Ids, StopReason StopReason)
{
    /// <summary>What the model reasoned before it answered; it is no part of later prompts.</summary>
    public string Reasoning { get; init; } = "";

    /// <summary>The model was still reasoning at its limit of tokens, so that there is no answer.</summary>
    public bool IsUnfinished { get; init; }
}

/// <summary>What of a chat's line and of the turns before it did not fit into the prompt.</summary>
/// <param name="KeptWords">Words of the line in the prompt.</param>
/// <param name="Words">Words of the line.</param>
/// <param name="IsCutWithinWord">The line was cut within a word, which alone is too long.</param>
/// <param name="LeftOutTurns">How many of the earliest turns were left out.</param>
public sealed record ChatPromptCut(int KeptWords, int Words, bool IsCutWithinWord, int LeftOutTurns)
{
    /// <summary>The line is not in the prompt as a whole.</summary>
    public bool IsLineCut => KeptWords < Words || IsCutWithinWord;
}
