using System.Text.Json;
using System.Text.RegularExpressions;
using CoPe.Modeling;

namespace CoPe.Adapters;

/// <summary>
/// Numbers of single layers by patterns of their names: PEFT's <c>rank_pattern</c> and <c>alpha_pattern</c>. The first
/// pattern that a full name ends with, after a dot or from its beginning on, counts.
/// </summary>
sealed class LayerPatterns
{
    /// <summary>No pattern.</summary>
    public static readonly LayerPatterns None = new([], "", "");

    readonly IReadOnlyList<(string Pattern, Regex Regex, double Value)> _patterns;
    readonly string _file;
    readonly string _key;

    LayerPatterns(IReadOnlyList<(string Pattern, Regex Regex, double Value)> patterns, string file, string key) =>
        (_patterns, _file, _key) = (patterns, file, key);

    /// <summary>Reads an object of patterns and numbers.</summary>
    /// <param name="json">The file.</param>
    /// <param name="key">Where the object is.</param>
    /// <param name="isWhole">Whether the numbers are whole.</param>
    /// <exception cref="ModelFileException">A pattern is none, or a number is not above zero.</exception>
    public static LayerPatterns Read(ConfigJson json, string key, bool isWhole)
    {
        if (json.GetObject(key) is not { } values)
        {
            return None;
        }

        var patterns = new List<(string, Regex, double)>();
        foreach (var pattern in values.Keys)
        {
            var value = isWhole ? values.GetInt32(pattern) : values.GetDouble(pattern);
            if (value is not > 0)
            {
                throw new ModelFileException(json.File, $"{key}.{pattern}", $"is {value}; expected a number above 0.");
            }

            patterns.Add((pattern, LayerNameRegex.Create(json.File, key, $"^(.*\\.)?({pattern})$"), value.Value));
        }

        return patterns.Count == 0 ? None : new LayerPatterns(patterns, json.File, key);
    }

    /// <summary>The number of a layer; null where no pattern matches its name.</summary>
    /// <exception cref="ModelFileException">A pattern takes too long to match.</exception>
    public double? Find(string layer)
    {
        foreach (var (_, regex, value) in _patterns)
        {
            if (LayerNameRegex.Matches(regex, layer, _file, _key))
            {
                return value;
            }
        }

        return null;
    }

    /// <summary>Writes the object, if there are patterns.</summary>
    public void Write(Utf8JsonWriter json, string key)
    {
        if (_patterns.Count == 0)
        {
            return;
        }

        json.WriteStartObject(key);
        foreach (var (pattern, _, value) in _patterns)
        {
            json.WriteNumber(pattern, value);
        }

        json.WriteEndObject();
    }
}

/// <summary>Regular expressions over full names of layers, as PEFT's files have them.</summary>
static class LayerNameRegex
{
    /// <summary>What the decoder's layers are called inside a model with a vision tower.</summary>
    static readonly string[] VisionModelPrefixes = ["model.language_model.", "language_model.model."];

    const string DecoderPrefix = "model.";

    /// <exception cref="ModelFileException">The pattern is none.</exception>
    public static Regex Create(string file, string key, string pattern)
    {
        try
        {
            return ForeignRegex.Create(pattern, RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1));
        }
        catch (ArgumentException e)
        {
            throw new ModelFileException(file, key, $"is no regular expression: {e.Message}", e);
        }
    }

    /// <summary>Whether a layer's name matches, be it inside a model with a vision tower.</summary>
    /// <exception cref="ModelFileException">It takes too long.</exception>
    public static bool Matches(Regex regex, string layer, string file, string key) =>
        Find(regex, layer, file, key) is not null;

    /// <summary>The match, or null for none.</summary>
    /// <exception cref="ModelFileException">It takes too long.</exception>
    public static Match? Find(Regex regex, string layer, string file, string key)
    {
        try
        {
            return ListNames(layer).Select(name => regex.Match(name)).FirstOrDefault(match => match.Success);
        }
        catch (RegexMatchTimeoutException e)
        {
            throw new ModelFileException(
                file,
                key,
                $"takes too long to match against {layer}; name the modules in a list.",
                e
            );
        }
    }

    static IEnumerable<string> ListNames(string layer) =>
        layer.StartsWith(DecoderPrefix, StringComparison.Ordinal)
            ? VisionModelPrefixes.Select(prefix => prefix + layer[DecoderPrefix.Length..]).Prepend(layer)
            : [layer];
}
