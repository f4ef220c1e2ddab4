using System.Globalization;
using System.Text.Json;
using CoPe.Modeling;

namespace CoPe.Adapters;

/// <summary>
/// The layers that adapter_config.json says are adapted. Hugging Face's tools drop factors of layers that it does not
/// name and leave named layers without factors as they are; here both mean that the two files, or adapter and model, do
/// not belong together.
/// </summary>
sealed class AdapterTargets
{
    const string TargetsKey = "target_modules";
    const string ExcludedKey = "exclude_modules";
    const string LayersKey = "layers_to_transform";
    const string LayersPatternKey = "layers_pattern";

    readonly ConfigJson _json;
    readonly Func<string, bool>? _isNamed; // null: the configuration names no layers
    readonly Func<string, bool> _isExcluded;

    public AdapterTargets(ConfigJson json)
    {
        _json = json;
        _isExcluded = json.Get(ExcludedKey) is { } excluded ? Match(ExcludedKey, excluded) : _ => false;
        if (json.Get(TargetsKey) is not { } value)
        {
            return;
        }

        var isTarget = Match(TargetsKey, value);
        _isNamed = json.GetInt32s(LayersKey) is { Count: > 0 } layers
            ? RestrictToLayers(isTarget, value, layers)
            : isTarget;
    }

    /// <summary>Checks that the layers with factors are the layers named.</summary>
    /// <param name="weightsFile">Where the factors are.</param>
    /// <param name="layers">The layers that may be adapted.</param>
    /// <param name="adapted">The names of those that are.</param>
    /// <param name="areTied">Whether embedding and head are adapted as one, so that either name means both.</param>
    /// <exception cref="ModelFileException">A layer is named and has no factors, or the reverse.</exception>
    public void Check(
        string weightsFile,
        IEnumerable<LinearLayer> layers,
        IReadOnlyCollection<string> adapted,
        bool areTied
    )
    {
        if (_isNamed is null)
        {
            return;
        }

        foreach (var layer in layers)
        {
            var isTied = areTied && WeightLayout.IsEmbeddingOrHead(layer.Name);
            var isNamed = isTied
                ? IsNamed(WeightLayout.EmbeddingLayer) || IsNamed(WeightLayout.HeadLayer)
                : IsNamed(layer.Name);
            var isAdapted = adapted.Contains(layer.Name);
            if (isNamed && !isAdapted)
            {
                throw new ModelFileException(
                    weightsFile,
                    layer.Name,
                    "has no lora_A and lora_B tensors, though target_modules names this layer: the adapter is "
                        + "incomplete or belongs to another model."
                );
            }

            if (!isNamed && isAdapted)
            {
                throw new ModelFileException(
                    weightsFile,
                    layer.Name,
                    $"has lora tensors, but target_modules in {_json.File} does not name this layer."
                );
            }
        }
    }

    bool IsNamed(string layer) => _isNamed!(layer) && !_isExcluded(layer);

    Func<string, bool> Match(string key, JsonElement value) =>
        value.ValueKind == JsonValueKind.String ? MatchText(key, value.GetString()!) : MatchList(key);

    Func<string, bool> MatchList(string key)
    {
        var targets = _json.GetStrings(key)!;
        return layer => targets.Any(target => LoraTargets.IsMeant(layer, target));
    }

    /// <summary>A single text is a regular expression over full names, as PEFT reads it.</summary>
    Func<string, bool> MatchText(string key, string text)
    {
        if (key == TargetsKey && text == LoraTargets.AllLinear)
        {
            return layer => LoraTargets.IsMeant(layer, text);
        }

        var pattern = LayerNameRegex.Create(_json.File, key, $"^(?:{text})\\z");
        return layer => LayerNameRegex.Matches(pattern, layer, _json.File, key);
    }

    /// <summary>A layer whose full name is a target is adapted whatever its number is.</summary>
    Func<string, bool> RestrictToLayers(Func<string, bool> isTarget, JsonElement targets, IReadOnlyList<int> layers)
    {
        if (targets.ValueKind == JsonValueKind.String)
        {
            throw _json.Unsupported(LayersKey, string.Join(", ", layers), "null beside target_modules in one text");
        }

        var names = _json.GetStrings(TargetsKey)!;
        var numbers = ReadLayerPatterns()
            .Select(pattern =>
                LayerNameRegex.Create(_json.File, LayersPatternKey, $"^.*\\.{pattern}\\.(?<layer>\\d+)\\.")
            )
            .ToList();
        return layer => names.Contains(layer) || (isTarget(layer) && FindNumber(layer) is { } n && layers.Contains(n));

        int? FindNumber(string layer)
        {
            var matches = numbers.Select(number => LayerNameRegex.Find(number, layer, _json.File, LayersPatternKey));
            return matches.FirstOrDefault(match => match is not null) is { } found
                ? int.Parse(found.Groups["layer"].Value, CultureInfo.InvariantCulture)
                : null;
        }
    }

    /// <summary>What stands before a layer's number; by default any one name.</summary>
    IReadOnlyList<string> ReadLayerPatterns()
    {
        if (_json.Get(LayersPatternKey) is not { } value)
        {
            return ["[^.]*"];
        }

        var patterns =
            value.ValueKind == JsonValueKind.String ? [value.GetString()!] : _json.GetStrings(LayersPatternKey)!;
        return patterns.Count == 0 ? ["[^.]*"] : patterns;
    }
}
