using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace CoPe.Json;

/// <summary>
/// Reads JSON that anybody may have written. Every text is one value and no more, in valid UTF-8 (with or without a
/// byte order mark), of bounded size and depth, with no key twice in an object and no half of a surrogate pair, so
/// that whatever is read from it later is text and unambiguous.
/// </summary>
static class StrictJson
{
    /// <summary>Most bytes of a file unless said otherwise.</summary>
    public const int MaxFileBytes = 1 << 30;

    static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    /// <summary>The value that a text holds; valid as long as it is referred to.</summary>
    /// <exception cref="InvalidJsonException">The text is not one such value.</exception>
    public static JsonElement Parse(ReadOnlySpan<byte> utf8, StrictJsonOptions? options = null)
    {
        options ??= StrictJsonOptions.Default;
        var text = SkipMark(utf8);
        ThrowIfNotUtf8(text, options.FirstLine);
        var standard = options.AllowsPythonNumbers ? PythonNumbers.Replace(text) : StandardJson.Unchanged(text);
        var faults = new JsonFaultFinder(standard, text, options);
        faults.ThrowIfBrokenText();
        try
        {
            return JsonElement.Parse(
                standard.Text,
                new() { MaxDepth = options.MaxDepth, AllowDuplicateProperties = options.AllowsDuplicateKeys }
            );
        }
        catch (JsonException error)
        {
            throw faults.Explain(error);
        }
    }

    /// <summary>The value that a file holds.</summary>
    /// <exception cref="InvalidJsonException">The file is too large, or not one such value.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static JsonElement ParseFile(string path, int maxBytes = MaxFileBytes, StrictJsonOptions? options = null) =>
        Parse(ReadFile(path, maxBytes), options);

    /// <summary>
    /// The object that a text holds. Members that must be there are, and neither they nor the elements of their lists
    /// are null where the type does not say that they may be; numbers are finite.
    /// </summary>
    /// <exception cref="InvalidJsonException">The text is not one such object.</exception>
    /// <param name="utf8">The text.</param>
    /// <param name="options">How keys are named.</param>
    /// <param name="firstLine">Number of the text's first line, for messages.</param>
    public static T Deserialize<T>(ReadOnlySpan<byte> utf8, JsonSerializerOptions? options = null, long firstLine = 1)
    {
        var text = SkipMark(utf8);
        ThrowIfNotUtf8(text, firstLine);
        try
        {
            var strict = StrictContract.Apply(options ?? JsonSerializerOptions.Default);
            var value = JsonSerializer.Deserialize<T>(text, strict);
            return value is not null && !StrictContract.HoldsNull(value)
                ? value
                : throw new InvalidJsonException($"line {firstLine}", "null, or a list that holds it");
        }
        catch (JsonException error)
        {
            var faultOptions = StrictJsonOptions.Default with { FirstLine = firstLine };
            throw new JsonFaultFinder(StandardJson.Unchanged(text), text, faultOptions).Explain(error);
        }
        catch (Exception error)
            when (error is ArgumentException or FormatException or InvalidOperationException or NotSupportedException)
        {
            // What the type itself refuses, such as an option out of range.
            throw new InvalidJsonException($"line {firstLine}", error.Message, error);
        }
    }

    /// <summary>The object that a file holds.</summary>
    /// <exception cref="InvalidJsonException">The file is too large, or not one such object.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static T DeserializeFile<T>(string path, JsonSerializerOptions? options = null) =>
        Deserialize<T>(ReadFile(path, MaxFileBytes), options);

    /// <summary>The bytes of a file, or of a device that ends.</summary>
    /// <exception cref="InvalidJsonException">There are more than <paramref name="maxBytes"/>.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static byte[] ReadFile(string path, int maxBytes)
    {
        using var stream = File.OpenRead(path);
        if (stream.CanSeek && stream.Length > maxBytes)
        {
            throw new InvalidJsonException("", $"has {stream.Length:N0} bytes; at most {maxBytes:N0} were expected");
        }

        using var content = new MemoryStream(stream.CanSeek ? (int)stream.Length : 0);
        var buffer = new byte[1 << 16];
        int read;
        while ((read = stream.Read(buffer)) > 0)
        {
            content.Write(buffer, 0, read);
            if (content.Length > maxBytes)
            {
                throw new InvalidJsonException("", $"has more than the {maxBytes:N0} bytes that were expected");
            }
        }

        return content.Length == content.Capacity ? content.GetBuffer() : content.ToArray();
    }

    /// <summary>A member of an object; null where there is none, or no object.</summary>
    public static JsonElement? Find(this JsonElement owner, string name) =>
        owner.ValueKind == JsonValueKind.Object && owner.TryGetProperty(name, out var value) ? value : null;

    /// <summary>What an element is, in words.</summary>
    public static string Describe(this JsonElement element) =>
        element.ValueKind switch
        {
            JsonValueKind.Null => "null",
            JsonValueKind.True or JsonValueKind.False => "a truth value",
            JsonValueKind.Array => "an array",
            JsonValueKind.Object => "an object",
            JsonValueKind.Number => "a number",
            JsonValueKind.Undefined => "nothing",
            _ => "a string",
        };

    static ReadOnlySpan<byte> SkipMark(ReadOnlySpan<byte> utf8) =>
        utf8.StartsWith(ByteOrderMark) ? utf8[ByteOrderMark.Length..] : utf8;

    static void ThrowIfNotUtf8(ReadOnlySpan<byte> text, long firstLine)
    {
        if (Utf8.IsValid(text))
        {
            return;
        }

        var offset = 0;
        while (Rune.DecodeFromUtf8(text[offset..], out _, out var length) == OperationStatus.Done)
        {
            offset += length;
        }

        var line = firstLine + text[..offset].Count((byte)'\n');
        throw new InvalidJsonException($"line {line}", $"byte {offset + 1} is not UTF-8 text; save the file as UTF-8");
    }
}
