using System.Text.Json;
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
    /// <summary>The reply in the place of what a filter held back.</summary>
    public static EndpointReply WithoutText { get; } = new([], 1, 0, 0);

    /// <summary>Reads a reply; null where it is not one.</summary>
    public static EndpointReply? Parse(ReadOnlyMemory<byte> body)
    {
        var json = ReplyJson.Parse(body);
        if (ReplyJson.Find(json, "choices") is not { ValueKind: JsonValueKind.Array } list)
        {
            return null;
        }

        var usage = ReplyJson.Find(json, "usage");
        var choices = ReplyJson
            .List(list)
            .OrderBy(choice => ReplyJson.FindInt64(choice, "index") ?? 0)
            .Select(EndpointChoice.Read)
            .ToList();
        List<EndpointChoice> usable = [.. choices.OfType<EndpointChoice>()];
        return new(
            usable,
            choices.Count - usable.Count,
            ReplyJson.FindInt64(usage, "prompt_tokens") ?? 0,
            ReplyJson.FindInt64(usage, "completion_tokens") ?? 0
        );
    }
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
        return text is null
            ? null
            : new(
                text,
                ReplyJson.FindText(choice, "finish_reason") == "length",
                HasReasoningBeside(choice) || HasReasoningBeside(message)
            );
    }

    /// <summary>Content as a text, or as a list of parts; null where a part is neither text nor reasoning.</summary>
    static string? ReadContent(JsonElement? content)
    {
        if (content is not { ValueKind: JsonValueKind.Array } parts)
        {
            return ReplyJson.Text(content);
        }

        var texts = ReplyJson.List(parts).Where(part => !IsReasoning(part)).Select(ReadPart).ToList();
        return texts.Count > 0 && texts.TrueForAll(text => text is not null) ? string.Concat(texts) : null;
    }

    static string? ReadPart(JsonElement part) =>
        ReplyJson.FindText(part, "type") is null or "text" or "output_text"
            ? ReplyJson.FindText(part, "text") ?? ReplyJson.Text(part)
            : null;

    static bool IsReasoning(JsonElement part) =>
        ReplyJson.FindText(part, "type") is "thinking" or "redacted_thinking" or "reasoning" or "reasoning_content";

    static bool HasReasoningBeside(JsonElement? owner) =>
        ReplyJson.FindText(owner, "reasoning_content") is { Length: > 0 }
        || ReplyJson.FindText(owner, "reasoning") is { Length: > 0 }
        || ReplyJson.List(ReplyJson.Find(owner, "content")).Any(IsReasoning);
}
