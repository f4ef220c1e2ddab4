using CoPe.Prompts;

namespace CoPe.Runs.Examples;

/// <summary>An example exactly as the model sees it in a stage.</summary>
public sealed record SeenExample
{
    /// <summary>The stage.</summary>
    public required SeenStage Stage { get; init; }

    /// <summary>The user.</summary>
    public required string User { get; init; }

    /// <summary>The history item or query.</summary>
    public required string Item { get; init; }

    /// <summary>The request in words, before the chat template.</summary>
    public required IReadOnlyList<ChatMessage> Messages { get; init; }

    /// <summary>The tokens, the prompt first.</summary>
    public required IReadOnlyList<SeenPart> Parts { get; init; }

    /// <summary>What a person should know: words cut, an example that is not trained on.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];
}
