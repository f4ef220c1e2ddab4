namespace CoPe.Prompts;

/// <summary>What a chat template can refer to besides the messages.</summary>
public sealed record ChatTemplateContext
{
    /// <summary>Text of special tokens by their role, for example <c>bos_token</c>; a role without a token is undefined.</summary>
    public IReadOnlyDictionary<string, string> SpecialTokens { get; init; } = new Dictionary<string, string>();

    /// <summary>More variables by name, each a string, a bool or a number, for example <c>enable_thinking</c>.</summary>
    public IReadOnlyDictionary<string, object> Variables { get; init; } = new Dictionary<string, object>();

    /// <summary>
    /// The moment that <c>strftime_now</c> tells. A fixed one by default, 26 July 2024 (which Llama's template itself falls back to), so that
    /// training and decoding on different days see the same prompt.
    /// </summary>
    public DateTimeOffset Now { get; init; } = new(2024, 7, 26, 0, 0, 0, TimeSpan.Zero);
}
