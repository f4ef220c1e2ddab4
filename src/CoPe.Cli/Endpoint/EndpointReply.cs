using System.Text.Json;

namespace CoPe.Cli.Endpoint;

/// <summary>What an endpoint answered: the texts of its choices, those without text left out, and what it counted.</summary>
sealed record EndpointReply(IReadOnlyList<string> Texts, long PromptTokens, long CompletionTokens)
{
    /// <summary>Reads a reply; null where it is not one.</summary>
    public static EndpointReply? Parse(string body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            if (Property(document.RootElement, "choices") is not { ValueKind: JsonValueKind.Array } choices) return null;
            var usage = Property(document.RootElement, "usage");
            return new([.. choices.EnumerateArray().Select(TextOf).OfType<string>()], Count(usage, "prompt_tokens"), Count(usage, "completion_tokens"));
        }
        catch (JsonException)
        {
            return null;
        }
    }

    static string? TextOf(JsonElement choice)
    {
        var text = Property(choice, "text") ?? Property(Property(choice, "message"), "content");
        return text is { ValueKind: JsonValueKind.String } found ? found.GetString() : null;
    }

    static long Count(JsonElement? usage, string name) => Property(usage, name) is { ValueKind: JsonValueKind.Number } number && number.TryGetInt64(out var count) ? count : 0;

    static JsonElement? Property(JsonElement? owner, string name) =>
        owner is { ValueKind: JsonValueKind.Object } found && found.TryGetProperty(name, out var value) ? value : null;
}
