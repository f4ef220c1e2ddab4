using CoPe.Chat;

namespace CoPe.Experiments.Runs.Examples;

/// <summary>An example exactly as the model sees it in a stage.</summary>
public sealed record ExamplePreview
{
    /// <summary>The stage.</summary>
    public required PreviewStage Stage { get; init; }

    /// <summary>The user.</summary>
    public required string User { get; init; }

    /// <summary>The history item or query.</summary>
    public required string Item { get; init; }

    /// <summary>The request in words, before the chat template.</summary>
    public required IReadOnlyList<ChatMessage> Messages { get; init; }

    /// <summary>The tokens, the prompt first.</summary>
    public required IReadOnlyList<PreviewSegment> Segments { get; init; }

    /// <summary>What a person should know: words cut, an example that is not trained on.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];
}

/// <summary>A stage in which the model sees examples.</summary>
public enum PreviewStage
{
    /// <summary>Training of the task-adaptive model: a query of another user.</summary>
    Tam,

    /// <summary>Training of a user's adapter: an item of his history.</summary>
    Sft,

    /// <summary>Preference training: an item of his history, his own text and the rejected one.</summary>
    Dpo,

    /// <summary>Prediction: a query of his.</summary>
    Predict,
}

/// <summary>A stretch of tokens that the model sees.</summary>
/// <param name="Title">What it is: prompt, answer, chosen, rejected.</param>
/// <param name="Role">What training does with it.</param>
/// <param name="Tokens">Its tokens in order.</param>
/// <param name="TruncatedTokens">Tokens behind these that do not fit and are not seen.</param>
public sealed record PreviewSegment(
    string Title,
    SegmentRole Role,
    IReadOnlyList<PreviewToken> Tokens,
    int TruncatedTokens
);

/// <summary>What training does with tokens.</summary>
public enum SegmentRole
{
    /// <summary>Read; the loss does not count them.</summary>
    Masked,

    /// <summary>Learned, or preferred.</summary>
    Target,

    /// <summary>Turned away from.</summary>
    Rejected,
}

/// <summary>A token as the model sees it.</summary>
/// <param name="Id">Its number.</param>
/// <param name="Text">Its text; the tokenizer's spelling where it is a part of a character only.</param>
public readonly record struct PreviewToken(int Id, string Text);
