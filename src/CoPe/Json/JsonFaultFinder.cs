using System.Globalization;
using System.Text;
using System.Text.Json;

namespace CoPe.Json;

/// <summary>Finds where a text stops being the JSON that was expected, and says what stands there.</summary>
/// <param name="standard">The text as the standard has it.</param>
/// <param name="original">The text as it was written.</param>
/// <param name="options">What else is allowed.</param>
readonly ref struct JsonFaultFinder(StandardJson standard, ReadOnlySpan<byte> original, StrictJsonOptions options)
{
    const int MaxPathLength = 60;

    readonly StandardJson _standard = standard;
    readonly ReadOnlySpan<byte> _original = original;

    /// <summary>Checks that the escapes of every text are whole characters.</summary>
    /// <exception cref="InvalidJsonException">One is half of a surrogate pair.</exception>
    public void ThrowIfBrokenText()
    {
        // Only escapes can be halves: the bytes of the text are UTF-8.
        var hasSurrogates = _standard.Text.IndexOf(@"\ud"u8) >= 0 || _standard.Text.IndexOf(@"\uD"u8) >= 0;
        if (hasSurrogates && FindInTokens() is { } fault)
        {
            throw fault;
        }
    }

    /// <summary>What .NET's reader found wrong, in words and with the place in the original text.</summary>
    public InvalidJsonException Explain(JsonException error)
    {
        if (FindInTokens() is { } fault)
        {
            return fault;
        }

        var path = error.Path is { Length: > 2 } found ? found[2..] : "";
        return new(AppendPath(FormatPlace(GetOffset(error)), path), GetReason(error), error);
    }

    /// <summary>The first token that is wrong; null where it is none alone.</summary>
    InvalidJsonException? FindInTokens()
    {
        var reader = new Utf8JsonReader(_standard.Text, new() { MaxDepth = options.MaxDepth });
        var path = new JsonPath(options.AllowsDuplicateKeys);
        try
        {
            while (reader.Read())
            {
                if (path.Advance(ref reader) is { } problem)
                {
                    var place = FormatPlace((int)reader.TokenStartIndex);
                    return new(AppendPath(place, path.ToString()), problem);
                }
            }
        }
        catch (JsonException error)
        {
            var offset = GetOffset(error);
            var isPythonNumber =
                offset < _standard.Text.Length && PythonNumbers.FindWord(_standard.Text, offset).Length > 0;
            var reason = isPythonNumber ? "NaN or Infinity, where finite numbers are expected" : GetReason(error);
            return new(AppendPath(FormatPlace(offset), path.ToString()), reason, error);
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

        return $"no valid JSON ({DescribeSyntax(error)})";
    }

    /// <summary>What is no JSON, in words that need no knowledge of the parser.</summary>
    public static string DescribeSyntax(JsonException error)
    {
        ReadOnlySpan<(string Part, string Words)> known =
        [
            ("trailing comma", "a comma stands behind the last element"),
            ("does not contain any JSON tokens", "the text is blank"),
            ("Expected depth to be zero", "the text ends inside an object or a list"),
        ];
        foreach (var (part, words) in known)
        {
            if (error.Message.Contains(part, StringComparison.Ordinal))
            {
                return words;
            }
        }

        return error.Message.Split([" Path:", " LineNumber:"], StringSplitOptions.None)[0].TrimEnd('.');
    }

    int GetOffset(JsonException error)
    {
        var offset = 0;
        for (var line = error.LineNumber ?? 0; line > 0; line--)
        {
            offset += _standard.Text[offset..].IndexOf((byte)'\n') + 1;
        }

        return (int)Math.Min(_standard.Text.Length, offset + (error.BytePositionInLine ?? 0));
    }

    /// <summary>A place of the standard text, where it stands in the original.</summary>
    string FormatPlace(int offset)
    {
        var before = _original[.._standard.ToOriginal(offset)];
        var line = before[(before.LastIndexOf((byte)'\n') + 1)..];
        var number = options.FirstLine + before.Count((byte)'\n');
        return string.Create(
            CultureInfo.InvariantCulture,
            $"line {number}, column {Encoding.UTF8.GetCharCount(line) + 1}"
        );
    }

    static string AppendPath(string place, string path) =>
        path.Length == 0 ? place : $"{place}, at {MessageText.Shorten(path, MaxPathLength)}";
}

/// <summary>Where in a value a reader stands, and the names of the objects that are open there.</summary>
/// <param name="allowsDuplicateKeys">Whether a key may stand twice in an object.</param>
sealed class JsonPath(bool allowsDuplicateKeys)
{
    const int MaxNameLength = 60;
    const string HalfOfPair = "text with half of a surrogate pair, which is no Unicode";

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

    /// <summary>The path: <c>a.b[2]</c>.</summary>
    public override string ToString() =>
        string.Concat(_open.Reverse().Select(level => level.ToString())).TrimStart('.');

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
            : $"the key \"{MessageText.Shorten(text, MaxNameLength)}\" stands twice; "
                + "take out the one that is not meant";
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
