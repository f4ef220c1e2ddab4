using CoPe.Prompts;

namespace CoPe.Tokens;

/// <summary>How conversations become ids.</summary>
public sealed record ConversationOptions
{
    /// <summary>
    /// Special-token text inside messages becomes special tokens, as in Hugging Face. By default it stays text, so that a history
    /// holding <c>&lt;/s&gt;</c> or <c>&lt;|im_end|&gt;</c> cannot break out of its turn.
    /// </summary>
    public bool HuggingFaceSpecialText { get; init; }

    /// <summary>
    /// More variables for the chat template by name, each a string, a bool or a number. By default <c>enable_thinking</c> is false: a template that lets its model think (Qwen3's)
    /// then opens the answer itself, as in training, where a user's text has no thoughts before it.
    /// </summary>
    public IReadOnlyDictionary<string, object> TemplateVariables { get; init; } = new Dictionary<string, object> { ["enable_thinking"] = false };

    /// <summary>The date that a template's <c>strftime_now</c> tells; the same for every stage of a run.</summary>
    public DateTimeOffset TemplateDate { get; init; } = new ChatTemplateContext().Now;
}
