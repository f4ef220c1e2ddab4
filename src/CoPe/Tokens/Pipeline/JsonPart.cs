using System.Text.Json;

namespace CoPe.Tokens.Pipeline;

/// <summary>A part of a JSON file that knows its path, so that every error names file and part.</summary>
readonly record struct JsonPart(string File, string Path, JsonElement Element)
{
    const long MaxBytes = 512L << 20;

    /// <summary>Reads a file whole; the elements stay valid for the process, as the document is not pooled.</summary>
    public static JsonPart Read(string file)
    {
        var size = new FileInfo(file).Length;
        if (size > MaxBytes)
        {
            throw new TokenizerException(
                file,
                "",
                $"is {size:N0} bytes long; a tokenizer's file is far below {MaxBytes:N0}"
            );
        }

        var bytes = System.IO.File.ReadAllBytes(file);
        if (bytes.AsSpan().StartsWith("version https://git-lfs"u8))
        {
            throw new TokenizerException(
                file,
                "",
                "is a Git LFS pointer, not the file itself; fetch it with git lfs pull"
            );
        }

        try
        {
            using var document = JsonDocument.Parse(bytes);
            return new JsonPart(file, "", document.RootElement.Clone());
        }
        catch (JsonException error)
        {
            throw new TokenizerException(file, "", $"is not valid JSON ({error.Message}); fetch the file again", error);
        }
    }

    /// <summary>True for a missing part and for <c>null</c>.</summary>
    public bool IsAbsent => Element.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null;

    public bool IsString => Element.ValueKind == JsonValueKind.String;

    public bool IsArray => Element.ValueKind == JsonValueKind.Array;

    /// <summary>A member, which may be absent.</summary>
    public JsonPart this[string name]
    {
        get
        {
            if (Element.ValueKind != JsonValueKind.Object)
            {
                throw WrongKind("an object");
            }

            Element.TryGetProperty(name, out var value);
            return new JsonPart(File, Path.Length == 0 ? name : $"{Path}.{name}", value);
        }
    }

    public string GetString() => IsString ? ReadString(Element) : throw WrongKind("a string");

    public string? GetStringOrNull() => IsAbsent ? null : GetString();

    public bool GetBoolean(bool absent) =>
        IsAbsent
            ? absent
            : Element.ValueKind switch
            {
                JsonValueKind.True => true,
                JsonValueKind.False => false,
                _ => throw WrongKind("true or false"),
            };

    public int GetInt32(int? absent = null)
    {
        if (IsAbsent && absent is { } value)
        {
            return value;
        }

        return Element.ValueKind == JsonValueKind.Number && Element.TryGetInt32(out var number)
            ? number
            : throw WrongKind("a whole number");
    }

    public IEnumerable<JsonPart> EnumerateArray()
    {
        if (!IsArray)
        {
            throw WrongKind("a list");
        }

        var index = 0;
        foreach (var item in Element.EnumerateArray())
        {
            yield return new JsonPart(File, $"{Path}[{index++}]", item);
        }
    }

    public IEnumerable<(string Name, JsonPart Value)> EnumerateObject()
    {
        if (Element.ValueKind != JsonValueKind.Object)
        {
            throw WrongKind("an object");
        }

        foreach (var member in Element.EnumerateObject())
        {
            yield return (ReadName(member), new JsonPart(File, Path, member.Value));
        }
    }

    /// <summary>The single character that a one-character string holds.</summary>
    public char GetChar() =>
        GetString() is { Length: 1 } text
            ? text[0]
            : throw Error($"is {Element.GetRawText()}; one character was expected");

    public TokenizerException Error(string problem) => new(File, Path, problem);

    /// <summary>A part that no code here knows.</summary>
    public TokenizerException Unsupported(string kind, string? name, string known) =>
        Error($"asks for the {kind} \"{name}\", which is not supported (supported: {known})");

    TokenizerException WrongKind(string expected) =>
        Error(
            Element.ValueKind == JsonValueKind.Undefined
                ? $"is missing; {expected} was expected"
                : $"is of kind {Element.ValueKind}; {expected} was expected"
        );

    string ReadString(JsonElement element)
    {
        try
        {
            return element.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw Error("holds text that is no valid Unicode");
        }
    }

    string ReadName(JsonProperty member)
    {
        try
        {
            return member.Name;
        }
        catch (InvalidOperationException)
        {
            throw Error("holds a name that is no valid Unicode");
        }
    }
}
