using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using CoPe.Cli.Http;

namespace CoPe.Cli.Endpoint;

/// <summary>
/// An endpoint's reply: its choices in order, those without text left out and counted, and its token counts.
/// </summary>
sealed record EndpointReply(
    IReadOnlyList<EndpointChoice> Choices,
    int UnusableChoices,
    long PromptTokens,
    long CompletionTokens
)
{
    /// <summary>No request asks for as many.</summary>
    const int MaxChoices = 1000;

    /// <summary>The reply in the place of what a filter held back.</summary>
    public static EndpointReply WithoutText { get; } = new([], 1, 0, 0);

    /// <summary>Reads a reply, whole or as a stream of events; null where it is not one.</summary>
    public static EndpointReply? Parse(ReadOnlyMemory<byte> body) => ReplyJson.Read(body, Read) ?? ReadStream(body);

    static EndpointReply? Read(JsonElement? json)
    {
        var list = ReplyJson.Find(json, "choices");
        if (list is not { ValueKind: JsonValueKind.Array } || list.Value.GetArrayLength() > MaxChoices)
        {
            return null;
        }

        var choices = ReplyJson.List(list).OrderBy(choice => ReplyJson.FindInt64(choice, "index") ?? 0);
        var tokens = ReadTokens(ReplyJson.Find(json, "usage"));
        return Create([.. choices.Select(EndpointChoice.Read)], tokens);
    }

    static EndpointReply? ReadStream(ReadOnlyMemory<byte> body) =>
        Utf8.IsValid(body.Span) ? EndpointEventStream.Read(Encoding.UTF8.GetString(body.Span)) : null;

    /// <summary>A reply of choices, null for those without text.</summary>
    public static EndpointReply Create(
        IReadOnlyCollection<EndpointChoice?> choices,
        (long Prompt, long Completion) tokens
    )
    {
        List<EndpointChoice> usable = [.. choices.OfType<EndpointChoice>()];
        return new(usable, choices.Count - usable.Count, tokens.Prompt, tokens.Completion);
    }

    public static (long Prompt, long Completion) ReadTokens(JsonElement? usage) =>
        (ReplyJson.FindInt64(usage, "prompt_tokens") ?? 0, ReplyJson.FindInt64(usage, "completion_tokens") ?? 0);
}

/// <summary>One answer.</summary>
/// <param name="Text">Its text.</param>
/// <param name="IsCut">Whether it ended at the limit of tokens.</param>
/// <param name="HasReasoning">Whether the endpoint gave its reasoning apart from the text.</param>
sealed record EndpointChoice(string Text, bool IsCut, bool HasReasoning)
{
    /// <summary>A choice; null where it has no text, but a call of a tool, a refusal, or half a character.</summary>
    public static EndpointChoice? Read(JsonElement choice)
    {
        var message = ReplyJson.Find(choice, "message");
        var text = ReplyJson.FindText(choice, "text") ?? ReadContent(ReplyJson.Find(message, "content"));
        return string.IsNullOrEmpty(text)
            ? null
            : new(
                text,
                ReplyJson.FindText(choice, "finish_reason") == "length",
                HasReasoningBeside(choice) || HasReasoningBeside(message)
            );
    }

    /// <summary>
    /// Content as a text, or as a list of parts without those of reasoning; null where a part is neither of these.
    /// </summary>
    public static string? ReadContent(JsonElement? content)
    {
        if (content is not { ValueKind: JsonValueKind.Array } parts)
        {
            return ReplyJson.Text(content);
        }

        var texts = ReplyJson.List(parts).Where(part => !IsReasoning(part)).Select(ReadPart).ToList();
        return texts.TrueForAll(text => text is not null) ? string.Concat(texts) : null;
    }

    static string? ReadPart(JsonElement part) =>
        ReplyJson.FindText(part, "type") is null or "text" or "output_text"
            ? ReplyJson.FindText(part, "text") ?? ReplyJson.Text(part)
            : null;

    static bool IsReasoning(JsonElement part) =>
        ReplyJson.FindText(part, "type") is "thinking" or "redacted_thinking" or "reasoning" or "reasoning_content";

    /// <summary>Whether a choice or its message holds reasoning apart from the text.</summary>
    public static bool HasReasoningBeside(JsonElement? owner) =>
        ReplyJson.FindText(owner, "reasoning_content") is { Length: > 0 }
        || ReplyJson.FindText(owner, "reasoning") is { Length: > 0 }
        || ReplyJson.List(ReplyJson.Find(owner, "content")).Any(IsReasoning);
}
