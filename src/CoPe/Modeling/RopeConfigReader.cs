namespace CoPe.Modeling;

/// <summary>Reads rotary settings from <c>rope_theta</c> and <c>rope_scaling</c>, or from the newer <c>rope_parameters</c>.</summary>
static class RopeConfigReader
{
    public static (RopeConfig Full, RopeConfig? Sliding) Read(ConfigJson json, ModelFamily family)
    {
        if (json.Object("rope_parameters") is { } newer)
            return newer.Object("full_attention") is { } full
                ? (Scaled(full, full.Number("rope_theta") ?? family.Theta), SlidingOf(newer, family))
                : (Scaled(newer, newer.Number("rope_theta") ?? json.Number("rope_theta") ?? family.Theta), LocalOf(json, family));
        var theta = json.Number("rope_theta") ?? family.Theta;
        var rope = json.Object("rope_scaling") is { } scaling ? Scaled(scaling, theta) : new RopeConfig { Theta = theta };
        return (rope, LocalOf(json, family));
    }

    static RopeConfig? LocalOf(ConfigJson json, ModelFamily family) =>
        family.SlidingTheta is { } local ? new RopeConfig { Theta = json.Number("rope_local_base_freq") ?? local } : null;

    static RopeConfig? SlidingOf(ConfigJson byType, ModelFamily family) =>
        byType.Object("sliding_attention") is { } sliding ? Scaled(sliding, sliding.Number("rope_theta") ?? family.SlidingTheta ?? family.Theta)
        : family.SlidingTheta is { } theta ? new RopeConfig { Theta = theta } : null;

    static RopeConfig Scaled(ConfigJson json, double theta)
    {
        double Needed(string key) => json.Number(key) ?? throw new ModelFileException(json.File, $"rope_scaling.{key}", "is missing.");
        if (json.Number("partial_rotary_factor") is { } part and not 1) throw json.Unsupported("partial_rotary_factor", $"{part}", "1");
        var type = json.Text("rope_type") ?? json.Text("type") ?? (json.Has("factor") ? throw new ModelFileException(json.File, "rope_scaling.rope_type", "is missing beside a factor.") : "default");
        var rope = type switch
        {
            "default" => new RopeConfig { Theta = theta },
            "linear" => new RopeConfig { Theta = theta, Scaling = RopeScaling.Linear, Factor = Needed("factor") },
            "llama3" => new RopeConfig
            {
                Theta = theta,
                Scaling = RopeScaling.Llama3,
                Factor = Needed("factor"),
                LowFrequencyFactor = Needed("low_freq_factor"),
                HighFrequencyFactor = Needed("high_freq_factor"),
                OriginalMaxPositions = Needed("original_max_position_embeddings"),
            },
            _ => throw json.Unsupported("rope_scaling.rope_type", type, "default, linear, llama3"),
        };
        if (!(theta > 0 && rope.Factor > 0 && rope.LowFrequencyFactor > 0 && rope.HighFrequencyFactor > rope.LowFrequencyFactor))
            throw new ModelFileException(json.File, "rope_scaling", "theta and factors must be > 0, and high_freq_factor > low_freq_factor.");
        return rope;
    }
}
