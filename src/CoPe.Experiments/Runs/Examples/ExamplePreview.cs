using CoPe.Chat;

namespace CoPe.Experiments.Runs.Examples;

/// <summary>An example exactly as the model sees it in a stage.</summary>
sealed record ExamplePreview
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

    /// <summary>Remarks for the reader, such as cut words or an example that is not trained on.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];
}

/// <summary>A stage in which the model sees examples.</summary>
enum PreviewStage
{
    /// <summary>Training of the task-adaptive model: a query of another user.</summary>
    Tam,

    /// <summary>Training of a user's adapter: an item of the user's history.</summary>
    Sft,

    /// <summary>Preference training: an item of the user's history, with their own text and the rejected one.</summary>
    Dpo,

    /// <summary>Prediction: a query of the user.</summary>
    Predict,
}

/// <summary>A sequence of tokens with one role.</summary>
/// <param name="Title">What it is: prompt, answer, chosen, rejected.</param>
/// <param name="Role">What training does with it.</param>
/// <param name="Tokens">Its tokens in order.</param>
/// <param name="TruncatedTokens">Number of further tokens that do not fit and are cut off.</param>
sealed record PreviewSegment(string Title, SegmentRole Role, IReadOnlyList<PreviewToken> Tokens, int TruncatedTokens);

/// <summary>What training does with tokens.</summary>
enum SegmentRole
{
    /// <summary>Context, masked in the loss.</summary>
    Masked,

    /// <summary>Made more likely.</summary>
    Target,

    /// <summary>Made less likely, in preference training.</summary>
    Rejected,
}

/// <summary>A token as the model sees it.</summary>
/// <param name="Id">Its id in the vocabulary.</param>
/// <param name="Text">Its text; the tokenizer's spelling where it is a part of a character only.</param>
readonly record struct PreviewToken(int Id, string Text);
