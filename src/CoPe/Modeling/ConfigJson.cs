using System.Text.Json;
using CoPe.Modeling.Safetensors;

namespace CoPe.Modeling;

/// <summary>
/// One object of a configuration file, read key by key with errors that name file, key and value. A key with null
/// counts as absent.
/// </summary>
sealed class ConfigJson(string file, JsonElement element)
{
    const int MaxFileBytes = 16 << 20;
    const int MaxShownLength = 80;

    public string File { get; } = file;

    public IEnumerable<JsonProperty> Properties => element.EnumerateObject();

    /// <exception cref="ModelFileException">A key is no valid Unicode.</exception>
    public IEnumerable<string> Keys => element.EnumerateObject().Select(ReadName);

    public static ConfigJson Read(string file)
    {
        if (!System.IO.File.Exists(file))
        {
            throw new ModelFileException(file, "is missing; expected a model folder as Hugging Face tools leave it.");
        }

        if (new FileInfo(file).Length > MaxFileBytes)
        {
            throw new ModelFileException(file, "is larger than 16 MiB; that is no configuration.");
        }

        var bytes = System.IO.File.ReadAllBytes(file);
        SafetensorsHeader.ThrowIfLfsPointer(file, bytes);
        try
        {
            using var document = JsonDocument.Parse(bytes);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                throw new ModelFileException(file, "is no JSON object.");
            }

            return new ConfigJson(file, document.RootElement.Clone());
        }
        catch (JsonException e)
        {
            throw new ModelFileException(file, $"is no valid JSON: {e.Message}", e);
        }
    }

    /// <summary>Whether the key is there, be it with null.</summary>
    public bool Has(string key) => element.TryGetProperty(key, out _);

    public JsonElement? Get(string key)
    {
        if (!element.TryGetProperty(key, out var value))
        {
            return null;
        }

        if (element.EnumerateObject().Count(property => property.NameEquals(key)) > 1)
        {
            throw new ModelFileException(File, key, "stands twice; take out the one that is not meant.");
        }

        return value.ValueKind == JsonValueKind.Null ? null : value;
    }

    public ConfigJson? GetObject(string key)
    {
        var value = GetOfKind(key, JsonValueKind.Object, "an object");
        return value is null ? null : new ConfigJson(File, value.Value);
    }

    public int? GetInt32(string key)
    {
        const string Expected = "a whole number";
        if (GetOfKind(key, JsonValueKind.Number, Expected) is not { } value)
        {
            return null;
        }

        return value.TryGetInt32(out var number) ? number : throw UnexpectedValue(key, value, Expected);
    }

    public double? GetDouble(string key)
    {
        const string Expected = "a number";
        if (GetOfKind(key, JsonValueKind.Number, Expected) is not { } value)
        {
            return null;
        }

        var isFinite = value.TryGetDouble(out var number) && double.IsFinite(number);
        return isFinite ? number : throw UnexpectedValue(key, value, Expected);
    }

    public bool? GetBoolean(string key)
    {
        if (Get(key) is not { } value)
        {
            return null;
        }

        return value.ValueKind is JsonValueKind.True or JsonValueKind.False
            ? value.GetBoolean()
            : throw UnexpectedValue(key, value, "true or false");
    }

    public string? GetString(string key) =>
        GetOfKind(key, JsonValueKind.String, "a string") is { } value ? ReadString(key, value) : null;

    public IReadOnlyList<string>? GetStrings(string key)
    {
        const string Expected = "a list of strings";
        if (GetOfKind(key, JsonValueKind.Array, Expected) is not { } value)
        {
            return null;
        }

        var strings = new List<string>();
        foreach (var item in value.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.String)
            {
                throw UnexpectedValue(key, value, Expected);
            }

            strings.Add(ReadString(key, item));
        }

        return strings;
    }

    /// <summary>A whole number or a list of them.</summary>
    public IReadOnlyList<int>? GetInt32s(string key)
    {
        if (Get(key) is not { } value)
        {
            return null;
        }

        if (value.ValueKind != JsonValueKind.Array)
        {
            return [GetInt32(key)!.Value];
        }

        var numbers = new List<int>();
        foreach (var item in value.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.Number || !item.TryGetInt32(out var number))
            {
                throw UnexpectedValue(key, value, "whole numbers");
            }

            numbers.Add(number);
        }

        return numbers;
    }

    string ReadName(JsonProperty property)
    {
        try
        {
            return property.Name;
        }
        catch (InvalidOperationException e)
        {
            throw new ModelFileException(File, "holds a key that is no valid Unicode.", e);
        }
    }

    string ReadString(string key, JsonElement value)
    {
        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException e)
        {
            throw new ModelFileException(File, $"holds text that is no valid Unicode, in {key}.", e);
        }
    }

    JsonElement? GetOfKind(string key, JsonValueKind kind, string expected)
    {
        var value = Get(key);
        if (value is not null && value.Value.ValueKind != kind)
        {
            throw UnexpectedValue(key, value.Value, expected);
        }

        return value;
    }

    ModelFileException UnexpectedValue(string key, JsonElement value, string expected) =>
        new(File, key, $"is {Shorten(value.GetRawText())}; expected {expected}.");

    public ModelFileException Unsupported(string key, string? found, string supported) =>
        new(File, key, $"{Shorten(found ?? "null")} is not supported; supported: {supported}.");

    static string Shorten(string text) => text.Length <= MaxShownLength ? text : text[..MaxShownLength] + "...";
}
