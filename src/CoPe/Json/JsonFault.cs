using System.Globalization;
using System.Text;
using System.Text.Json;

namespace CoPe.Json;

/// <summary>Finds where a text stops being the JSON that was expected, and says what stands there.</summary>
static class JsonFault
{
    const int MaxNameLength = 60;
    const string HalfOfPair = "text with half of a surrogate pair, which is no Unicode";

    /// <summary>The first byte that is no UTF-8.</summary>
    public static InvalidJsonException OfEncoding(ReadOnlySpan<byte> text)
    {
        var offset = 0;
        while (Rune.DecodeFromUtf8(text[offset..], out _, out var length) == System.Buffers.OperationStatus.Done)
        {
            offset += length;
        }

        return new(FormatLine(text, offset), $"byte {offset + 1} is not UTF-8 text; save the file as UTF-8");
    }

    /// <summary>Checks that the escapes of every text are whole characters.</summary>
    /// <param name="standard">The text as the standard has it.</param>
    /// <param name="original">The text as it was written.</param>
    /// <param name="options">What else is allowed.</param>
    /// <exception cref="InvalidJsonException">One is half of a surrogate pair.</exception>
    public static void ThrowIfBrokenText(StandardJson standard, ReadOnlySpan<byte> original, StrictJsonOptions options)
    {
        // Only escapes can be halves: the bytes of the text are UTF-8.
        var hasSurrogates = standard.Text.IndexOf(@"\ud"u8) >= 0 || standard.Text.IndexOf(@"\uD"u8) >= 0;
        if (hasSurrogates && FindInTokens(standard, original, options) is { } fault)
        {
            throw fault;
        }
    }

    /// <summary>What the parser found wrong: in words, at the place in the original text.</summary>
    public static InvalidJsonException Find(
        StandardJson standard,
        ReadOnlySpan<byte> original,
        StrictJsonOptions options,
        JsonException error
    ) =>
        FindInTokens(standard, original, options)
        ?? new(FormatPlace(original, standard.ToOriginal(GetOffset(standard.Text, error))), GetReason(error), error);

    /// <summary>What the deserializer found wrong.</summary>
    public static InvalidJsonException OfDeserializer(ReadOnlySpan<byte> text, JsonException error)
    {
        if (FindInTokens(StandardJson.Unchanged(text), text, StrictJsonOptions.Default) is { } fault)
        {
            return fault;
        }

        var place = FormatPlace(text, GetOffset(text, error));
        var path = error.Path is { Length: > 2 } found ? found[2..] : "";
        return new(path.Length == 0 ? place : $"{place}, at {Shorten(path)}", GetReason(error), error);
    }

    /// <summary>
    /// The first token that is wrong; null where the parser refuses for a reason that no token shows.
    /// </summary>
    static InvalidJsonException? FindInTokens(
        StandardJson standard,
        ReadOnlySpan<byte> original,
        StrictJsonOptions options
    )
    {
        var reader = new Utf8JsonReader(standard.Text, new() { MaxDepth = options.MaxDepth });
        var path = new JsonPath(options.AllowsDuplicateKeys);
        try
        {
            while (reader.Read())
            {
                if (path.Advance(ref reader) is { } problem)
                {
                    var place = FormatPlace(original, standard.ToOriginal((int)reader.TokenStartIndex));
                    return new(path.AppendTo(place), problem);
                }
            }
        }
        catch (JsonException error)
        {
            var place = FormatPlace(original, standard.ToOriginal(GetOffset(standard.Text, error)));
            return new(path.AppendTo(place), GetReason(error), error);
        }

        return null;
    }

    static string GetReason(JsonException error)
    {
        var message = error.Message;
        if (message.Contains("could not be converted to", StringComparison.Ordinal))
        {
            return "the value is of another kind, or out of the range, than is expected here";
        }

        const string Missing = "required properties including:";
        var missing = message.IndexOf(Missing, StringComparison.Ordinal);
        if (missing >= 0)
        {
            return $"lacks {message[(missing + Missing.Length)..].Split(". Path:")[0].Trim().TrimEnd('.')}";
        }

        if (message.Contains("maximum configured depth", StringComparison.Ordinal))
        {
            return "is nested too deeply";
        }

        if (message.Contains("getting null values", StringComparison.Ordinal))
        {
            return "is null";
        }

        var reason = message.Split([" Path:", " LineNumber:"], StringSplitOptions.None)[0];
        return $"no valid JSON ({reason.TrimEnd('.')})";
    }

    static int GetOffset(ReadOnlySpan<byte> text, JsonException error)
    {
        var offset = 0;
        for (var line = error.LineNumber ?? 0; line > 0; line--)
        {
            offset += text[offset..].IndexOf((byte)'\n') + 1;
        }

        return (int)Math.Min(text.Length, offset + (error.BytePositionInLine ?? 0));
    }

    static string FormatLine(ReadOnlySpan<byte> text, int offset) =>
        string.Create(CultureInfo.InvariantCulture, $"line {text[..offset].Count((byte)'\n') + 1}");

    static string FormatPlace(ReadOnlySpan<byte> text, int offset)
    {
        var line = text[(text[..offset].LastIndexOf((byte)'\n') + 1)..offset];
        var column = Encoding.UTF8.GetCharCount(line) + 1;
        return string.Create(CultureInfo.InvariantCulture, $"{FormatLine(text, offset)}, column {column}");
    }

    static string Shorten(string text) => MessageText.Shorten(text, MaxNameLength);

    /// <summary>Where in the value a reader stands, and the names of the objects that are open there.</summary>
    sealed class JsonPath(bool allowsDuplicateKeys)
    {
        readonly Stack<Level> _open = [];

        /// <summary>Takes the reader's token; what is wrong with it, or null.</summary>
        public string? Advance(ref Utf8JsonReader reader)
        {
            if (reader.TokenType is JsonTokenType.EndObject or JsonTokenType.EndArray)
            {
                _open.Pop();
                return null;
            }

            var isName = reader.TokenType == JsonTokenType.PropertyName;
            if (!isName && _open.TryPeek(out var level))
            {
                level.Index++;
            }

            if (isName || reader.TokenType == JsonTokenType.String)
            {
                return CheckText(ref reader, isName);
            }

            if (reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray)
            {
                _open.Push(new(reader.TokenType == JsonTokenType.StartArray));
            }

            return null;
        }

        /// <summary>A place in the text, and where that is in the value: <c>line 3, column 5, at a.b[2]</c>.</summary>
        public string AppendTo(string place)
        {
            var path = string.Concat(_open.Reverse().Select(level => level.ToString())).TrimStart('.');
            return path.Length == 0 ? place : $"{place}, at {Shorten(path)}";
        }

        string? CheckText(ref Utf8JsonReader reader, bool isName)
        {
            string text;
            try
            {
                text = reader.GetString()!;
            }
            catch (InvalidOperationException)
            {
                return isName ? $"a key is {HalfOfPair}" : HalfOfPair;
            }

            if (!isName)
            {
                return null;
            }

            var level = _open.Peek();
            level.Name = text;
            return level.Names.Add(text) || allowsDuplicateKeys
                ? null
                : $"the key \"{Shorten(text)}\" stands twice; take out the one that is not meant";
        }

        sealed class Level(bool isArray)
        {
            public HashSet<string> Names { get; } = [];

            public string? Name { get; set; }

            public int Index { get; set; } = -1;

            public override string ToString() =>
                isArray ? $"[{Math.Max(Index, 0)}]"
                : Name is null ? ""
                : "." + Name;
        }
    }
}
