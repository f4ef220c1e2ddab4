namespace CoPe.Modeling;

/// <summary>
/// Which layers slide and how far they see, and which have no rotary embedding: from the older keys or from
/// <c>layer_types</c>.
/// </summary>
/// <param name="Window">Positions that a query of a sliding layer sees; null where no layer slides.</param>
/// <param name="Sliding">For each layer whether it slides; empty where none does.</param>
/// <param name="WithoutRope">For each layer whether it has no rotary embedding; empty where all have.</param>
sealed record LayerKinds(int? Window, IReadOnlyList<bool> Sliding, IReadOnlyList<bool> WithoutRope)
{
    /// <summary>First sliding layer of Qwen models whose configuration does not say.</summary>
    const int DefaultFirstSlidingLayer = 28;

    /// <summary>
    /// Every how many layers one has no rotary embedding in SmolLM3 models whose configuration does not say.
    /// </summary>
    const int DefaultUnrotatedInterval = 4;

    public static LayerKinds Read(ConfigJson json, ModelFamily family, int layers)
    {
        var unrotated = family.UnrotatedLayers == UnrotatedLayers.Listed ? ReadUnrotated(json, layers) : [];
        var isSwitchedOff = family.WindowNeedsSwitch && json.GetBoolean("use_sliding_window") != true;
        // An explicit null switches the window off; an absent key means the family's default.
        var window = json.Has("sliding_window") ? json.GetInt32("sliding_window") : family.SlidingWindow;
        if (isSwitchedOff || family.Sliding == SlidingRule.Never || window is null)
        {
            if (ReadLayerTypes(json, layers)?.Contains(true) == true)
            {
                const string Supported = "full_attention in every layer where no sliding window is on";
                throw json.Unsupported("layer_types", "sliding_attention", Supported);
            }

            return new LayerKinds(null, [], unrotated);
        }

        if (window < 1)
        {
            throw json.Unsupported("sliding_window", $"{window}", "a number of positions >= 1");
        }

        var byType = ReadLayerTypes(json, layers);
        // Hugging Face's code for such a type has one mask for all layers, whatever the list says.
        if (family.Sliding == SlidingRule.Always && byType is not null && byType.Contains(false))
        {
            throw json.Unsupported(
                "layer_types",
                "full_attention",
                $"sliding_attention in every layer for model type {family.ModelType} with a sliding_window"
            );
        }

        var sliding = byType ?? ApplyRule(json, family, layers, unrotated);
        var isFullUnrotated = family.UnrotatedLayers == UnrotatedLayers.FullBesideSliding;
        return new LayerKinds(window, sliding, isFullUnrotated ? [.. sliding.Select(slides => !slides)] : unrotated);
    }

    static List<bool>? ReadLayerTypes(ConfigJson json, int layers)
    {
        var types = json.GetStrings("layer_types");
        if (types is null)
        {
            return null;
        }

        if (types.Count != layers)
        {
            throw new ModelFileException(json.File, "layer_types", $"names {types.Count} layers; expected {layers}.");
        }

        return [.. types.Select(type => IsSliding(json, type))];
    }

    static bool IsSliding(ConfigJson json, string type) =>
        type switch
        {
            "full_attention" => false,
            "sliding_attention" => true,
            _ => throw json.Unsupported("layer_types", type, "full_attention, sliding_attention"),
        };

    static List<bool> ApplyRule(ConfigJson json, ModelFamily family, int layers, IReadOnlyList<bool> unrotated)
    {
        var all = Enumerable.Range(0, layers);
        switch (family.Sliding)
        {
            case SlidingRule.FromMaxWindowLayer:
                var first = json.GetInt32("max_window_layers") ?? DefaultFirstSlidingLayer;
                return [.. all.Select(layer => layer >= first)];
            case SlidingRule.Pattern:
                var pattern =
                    family
                        .OwnKeys.Where(key => key.EndsWith("sliding_window_pattern", StringComparison.Ordinal))
                        .Select(json.GetInt32)
                        .FirstOrDefault(found => found is not null)
                    ?? family.SlidingPattern;
                return [.. all.Select(layer => pattern <= 0 || (layer + 1) % pattern != 0)];
            case SlidingRule.Unrotated:
                return [.. unrotated];
            default:
                return [.. all.Select(_ => true)];
        }
    }

    /// <summary>In <c>no_rope_layers</c> 1 means that a layer has a rotary embedding.</summary>
    static List<bool> ReadUnrotated(ConfigJson json, int layers)
    {
        if (json.GetInt32s("no_rope_layers") is not { } listed)
        {
            var interval = json.GetInt32("no_rope_layer_interval") ?? DefaultUnrotatedInterval;
            return interval >= 1
                ? [.. Enumerable.Range(1, layers).Select(layer => layer % interval == 0)]
                : throw json.Unsupported("no_rope_layer_interval", $"{interval}", "a number of layers >= 1");
        }

        if (listed.Count != layers)
        {
            throw new ModelFileException(
                json.File,
                "no_rope_layers",
                $"names {listed.Count} layers; expected {layers}."
            );
        }

        return [.. listed.Select(hasRope => hasRope == 0)];
    }
}
