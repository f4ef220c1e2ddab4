using System.Text.Json;
using CoPe.Json;

namespace CoPe.Tokens.Pipeline;

/// <summary>A part of a JSON file that knows its path, so that every error names file and part.</summary>
readonly record struct JsonPart(string File, string Path, JsonElement Element)
{
    const int MaxBytes = 512 << 20;

    /// <summary>Reads a file whole.</summary>
    /// <exception cref="TokenizerException">It is too large, or not JSON.</exception>
    public static JsonPart Read(string file)
    {
        try
        {
            var bytes = StrictJson.ReadFile(file, MaxBytes);
            ThrowIfLfsPointer(file, bytes);
            return new JsonPart(file, "", StrictJson.Parse(bytes));
        }
        catch (InvalidJsonException error)
        {
            throw new TokenizerException(file, "", $"{error.Message}; fetch the file again", error);
        }
    }

    static void ThrowIfLfsPointer(string file, ReadOnlySpan<byte> bytes)
    {
        if (bytes.StartsWith("version https://git-lfs"u8))
        {
            throw new TokenizerException(
                file,
                "",
                "is a Git LFS pointer, not the file itself; fetch it with git lfs pull"
            );
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

    public string GetString() => IsString ? Element.GetString()! : throw WrongKind("a string");

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
            yield return (member.Name, new JsonPart(File, Path, member.Value));
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
                : $"is {Element.Describe()}; {expected} was expected"
        );
}
