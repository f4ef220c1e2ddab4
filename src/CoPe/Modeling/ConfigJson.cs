using System.Text.Json;
using CoPe.Modeling.Safetensors;

namespace CoPe.Modeling;

/// <summary>
/// One object of a configuration file, read key by key with errors that name file, key and value. A key with null
/// counts as absent.
/// </summary>
sealed class ConfigJson(string file, JsonElement element)
{
    public string File { get; } = file;

    public static ConfigJson Read(string file)
    {
        if (!System.IO.File.Exists(file))
        {
            throw new ModelFileException(file, "is missing; expected a model folder as Hugging Face tools leave it.");
        }

        if (new FileInfo(file).Length > 16 << 20)
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

    public IEnumerable<JsonProperty> Properties => element.EnumerateObject();

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

        return value.ValueKind != JsonValueKind.Null ? value : null;
    }

    public ConfigJson? GetObject(string key) =>
        Get(key) is not { } value ? null
        : value.ValueKind == JsonValueKind.Object ? new ConfigJson(File, value)
        : throw UnexpectedValue(key, value, "an object");

    public int? GetInt32(string key) =>
        Get(key) is not { } value ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) ? number
        : throw UnexpectedValue(key, value, "a whole number");

    public double? GetDouble(string key) =>
        Get(key) is not { } value ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && double.IsFinite(number)
            ? number
        : throw UnexpectedValue(key, value, "a number");

    public bool? GetBoolean(string key) =>
        Get(key) is not { } value ? null
        : value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean()
        : throw UnexpectedValue(key, value, "true or false");

    public string? GetString(string key) =>
        Get(key) is not { } value ? null
        : value.ValueKind == JsonValueKind.String ? value.GetString()
        : throw UnexpectedValue(key, value, "a string");

    public IReadOnlyList<string>? GetStrings(string key) =>
        Get(key) is not { } value ? null
        : value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(v => v.ValueKind == JsonValueKind.String)
            ? [.. value.EnumerateArray().Select(v => v.GetString()!)]
        : throw UnexpectedValue(key, value, "a list of strings");

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

        return
        [
            .. value
                .EnumerateArray()
                .Select(v =>
                    v.ValueKind == JsonValueKind.Number && v.TryGetInt32(out var number)
                        ? number
                        : throw UnexpectedValue(key, value, "whole numbers")
                ),
        ];
    }

    public ModelFileException UnexpectedValue(string key, JsonElement value, string expected) =>
        new(File, key, $"is {Shorten(value.GetRawText())}; expected {expected}.");

    public ModelFileException Unsupported(string key, string? found, string supported) =>
        new(File, key, $"{Shorten(found ?? "null")} is not supported; supported: {supported}.");

    static string Shorten(string text) => text.Length <= 80 ? text : text[..80] + "...";
}
