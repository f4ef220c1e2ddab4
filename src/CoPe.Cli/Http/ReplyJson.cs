using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace CoPe.Cli.Http;

/// <summary>
/// JSON of a server, read without trust: what is missing, of another kind or no text at all is null, never an error.
/// </summary>
static class ReplyJson
{
    /// <summary>Names, values and brackets; a list of 100,000 files has half of it.</summary>
    const int MaxTokens = 1_000_000;

    /// <summary>
    /// What <paramref name="read"/> finds in a body, which is UTF-8 whatever its headers say. Its argument is null
    /// where the body is no JSON, and not valid afterwards.
    /// </summary>
    public static T Read<T>(ReadOnlyMemory<byte> body, Func<JsonElement?, T> read)
    {
        using var document = TryParse(body.Span is [0xEF, 0xBB, 0xBF, ..] ? body[3..] : body);
        return read(document?.RootElement);
    }

    static JsonDocument? TryParse(ReadOnlyMemory<byte> text)
    {
        try
        {
            return IsOfReasonableSize(text.Span) ? JsonDocument.Parse(text) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>A document takes many times the memory of its text where that is all brackets and commas.</summary>
    static bool IsOfReasonableSize(ReadOnlySpan<byte> text)
    {
        var reader = new Utf8JsonReader(text);
        var count = 0;
        while (count <= MaxTokens && reader.Read())
        {
            count++;
        }

        return count <= MaxTokens;
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

    /// <summary>A value as it was sent, bytes that are no UTF-8 replaced.</summary>
    public static string RawText(JsonElement value) => Encoding.UTF8.GetString(JsonMarshal.GetRawUtf8Value(value));

    public static string? FindText(JsonElement? owner, string name) => Text(Find(owner, name));

    public static long? FindInt64(JsonElement? owner, string name) =>
        Find(owner, name) is { ValueKind: JsonValueKind.Number } number && number.TryGetInt64(out var found)
            ? found
            : null;
}
