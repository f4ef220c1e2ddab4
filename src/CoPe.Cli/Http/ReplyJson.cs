using System.Text.Json;

namespace CoPe.Cli.Http;

/// <summary>
/// JSON of a server, read without trust: what is missing, of another kind or no text at all is null, never an error.
/// </summary>
static class ReplyJson
{
    /// <summary>The value of a body, read as UTF-8 whatever its headers say; null where it is no JSON.</summary>
    public static JsonElement? Parse(ReadOnlyMemory<byte> body)
    {
        var text = body.Span is [0xEF, 0xBB, 0xBF, ..] ? body[3..] : body;
        try
        {
            return JsonDocument.Parse(text).RootElement;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>A property that is there and not null.</summary>
    public static JsonElement? Find(JsonElement? owner, string name)
    {
        try
        {
            return
                owner is { ValueKind: JsonValueKind.Object } found
                && found.TryGetProperty(name, out var value)
                && value.ValueKind != JsonValueKind.Null
                ? value
                : null;
        }
        catch (InvalidOperationException)
        {
            return null; // Beside it stands a name that is no valid Unicode.
        }
    }

    /// <summary>The elements of a list; none where it is something else.</summary>
    public static IEnumerable<JsonElement> List(JsonElement? list) =>
        list is { ValueKind: JsonValueKind.Array } found ? found.EnumerateArray() : [];

    /// <summary>A text; null for half a surrogate, and for bytes that are no UTF-8.</summary>
    public static string? Text(JsonElement? value)
    {
        try
        {
            return value is { ValueKind: JsonValueKind.String } found ? found.GetString() : null;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    public static string? FindText(JsonElement? owner, string name) => Text(Find(owner, name));

    public static long? FindInt64(JsonElement? owner, string name) =>
        Find(owner, name) is { ValueKind: JsonValueKind.Number } number && number.TryGetInt64(out var found)
            ? found
            : null;
}
