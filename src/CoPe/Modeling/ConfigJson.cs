using System.Text.Json;
using System.Text.Json.Nodes;
using CoPe.Gguf;
using CoPe.Json;
using CoPe.Modeling.Gguf;
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

    public IEnumerable<string> Keys => element.EnumerateObject().Select(property => property.Name);

    /// <exception cref="ModelFileException">The file is missing, too large, or no JSON object.</exception>
    public static ConfigJson Read(string file)
    {
        if (!System.IO.File.Exists(file))
        {
            throw new ModelFileException(file, "is missing; expected a model folder as Hugging Face tools leave it.");
        }

        try
        {
            var bytes = StrictJson.ReadFile(file, MaxFileBytes);
            SafetensorsHeader.ThrowIfLfsPointer(file, bytes);
            var root = StrictJson.Parse(bytes);
            return root.ValueKind == JsonValueKind.Object
                ? new ConfigJson(file, root)
                : throw new ModelFileException(file, $"is {root.Describe()}; expected an object.");
        }
        catch (InvalidJsonException e)
        {
            throw new ModelFileException(file, e.Message, e);
        }
    }

    /// <summary>The config.json of a model folder, or what a GGUF file's metadata say in its words.</summary>
    /// <exception cref="ModelFileException">It is missing, too large, or no JSON object.</exception>
    public static ConfigJson ReadModel(string folder) =>
        GgufFile.IsNamed(folder) ? GgufConfig.Read(folder) : Read(Path.Combine(folder, "config.json"));

    /// <summary>Whether the key is there, be it with null.</summary>
    public bool Has(string key) => element.TryGetProperty(key, out _);

    /// <summary>A copy of the object, to be changed.</summary>
    public JsonObject ToNode() => JsonObject.Create(element)!;

    public JsonElement? Get(string key) =>
        element.TryGetProperty(key, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

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

    public string? GetString(string key) => GetOfKind(key, JsonValueKind.String, "a string")?.GetString();

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

            strings.Add(item.GetString()!);
        }

        return strings;
    }

    public IReadOnlyList<double>? GetDoubles(string key)
    {
        const string Expected = "a list of numbers";
        if (GetOfKind(key, JsonValueKind.Array, Expected) is not { } value)
        {
            return null;
        }

        var numbers = new List<double>();
        foreach (var item in value.EnumerateArray())
        {
            var isFinite = item.ValueKind == JsonValueKind.Number && item.TryGetDouble(out var number);
            numbers.Add(isFinite ? item.GetDouble() : throw UnexpectedValue(key, value, Expected));
        }

        return numbers;
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
