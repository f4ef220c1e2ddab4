namespace CoPe.Modeling;

/// <summary>Which layers slide and how far they see, from the older keys or from <c>layer_types</c>.</summary>
sealed record SlidingConfig(int? Window, IReadOnlyList<bool> Layers)
{
    public static SlidingConfig Read(ConfigJson json, ModelFamily family, int layers)
    {
        var switchedOff = family.WindowNeedsSwitch && json.Flag("use_sliding_window") != true;
        // An explicit null switches the window off; an absent key means the family's default.
        var window = json.Has("sliding_window") ? json.Int("sliding_window") : family.SlidingWindow;
        if (switchedOff || family.SlidingWindow is null || window is null) return new SlidingConfig(null, []);
        if (window < 1) throw json.Unsupported("sliding_window", $"{window}", "a number of positions >= 1");
        var byType = ByType(json, layers);
        // Hugging Face's code for such a type has one mask for all layers, whatever the list says.
        if (family.SlidingPattern == 0 && byType is not null && byType.Contains(false))
            throw json.Unsupported("layer_types", "full_attention", $"sliding_attention in every layer for model type {family.ModelType} with a sliding_window");
        return new SlidingConfig(window, byType ?? ByPattern(json, family, layers));
    }

    static List<bool>? ByType(ConfigJson json, int layers)
    {
        if (json.Texts("layer_types") is not { } types) return null;
        if (types.Count != layers) throw new ModelFileException(json.File, "layer_types", $"names {types.Count} layers; expected {layers}.");
        return [.. types.Select(type => type switch
        {
            "full_attention" => false,
            "sliding_attention" => true,
            _ => throw json.Unsupported("layer_types", type, "full_attention, sliding_attention"),
        })];
    }

    static List<bool> ByPattern(ConfigJson json, ModelFamily family, int layers)
    {
        if (family.WindowNeedsSwitch)
        {
            var firstSliding = json.Int("max_window_layers") ?? 28;
            return [.. Enumerable.Range(0, layers).Select(layer => layer >= firstSliding)];
        }
        var pattern = json.Int("sliding_window_pattern") ?? json.Int("_sliding_window_pattern") ?? family.SlidingPattern ?? 0;
        return [.. Enumerable.Range(0, layers).Select(layer => pattern <= 0 || (layer + 1) % pattern != 0)];
    }
}
