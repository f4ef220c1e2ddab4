using System.Globalization;

namespace CoPe.Modeling;

/// <summary>
/// Reads rotary settings from <c>rope_theta</c> and <c>rope_scaling</c>, or from the newer <c>rope_parameters</c>.
/// </summary>
static class RopeConfigReader
{
    /// <summary>What is read of a scaling; anything else may change what the model computes.</summary>
    static readonly string[] KnownKeys =
    [
        "rope_theta",
        "rope_type",
        "type",
        "partial_rotary_factor",
        "factor",
        "low_freq_factor",
        "high_freq_factor",
        "original_max_position_embeddings",
    ];

    /// <summary>
    /// Of full layers, and of sliding ones where they have their own. Which of several values counts is as in
    /// transformers 5: <c>rope_scaling</c> takes the place of <c>rope_parameters</c>, and a <c>rope_theta</c> in
    /// either comes before the one beside them.
    /// </summary>
    public static (RopeConfig Full, RopeConfig? Sliding) Read(ConfigJson json, ModelFamily family)
    {
        var parameters = json.GetObject("rope_parameters");
        // An empty object says nothing, as in Python.
        var scaling = json.GetObject("rope_scaling") is { } older && older.Keys.Any() ? older : null;
        var full = parameters?.GetObject("full_attention");
        // Beside a scaling only a family with several kinds of layers keeps its parameters.
        var kept = family.SlidingTheta is null ? null : full;
        var theta =
            scaling?.GetDouble("rope_theta")
            ?? (scaling is null ? full ?? parameters : kept)?.GetDouble("rope_theta")
            ?? json.GetDouble("rope_theta")
            ?? family.Theta;
        var scaled = scaling ?? full ?? parameters;
        var rope = scaled is null ? new RopeConfig { Theta = theta } : ReadScaled(scaled, theta);
        return (rope, ReadSliding(json, parameters, family));
    }

    /// <summary>Where the file names a base of the angles that is not the one used, in a line.</summary>
    public static IEnumerable<string> FindConflicts(ConfigJson json, DecoderConfig config)
    {
        var scaling = json.GetObject("rope_scaling");
        var parameters = json.GetObject("rope_parameters");
        List<(string Key, double? Theta)> full =
        [
            ("rope_scaling.rope_theta", scaling?.GetDouble("rope_theta")),
            (
                "rope_parameters.rope_theta",
                (parameters?.GetObject("full_attention") ?? parameters)?.GetDouble("rope_theta")
            ),
            ("rope_theta", json.GetDouble("rope_theta")),
        ];
        List<(string Key, double? Theta)> sliding =
        [
            (
                "rope_parameters.sliding_attention.rope_theta",
                parameters?.GetObject("sliding_attention")?.GetDouble("rope_theta")
            ),
            ("rope_local_base_freq", json.GetDouble("rope_local_base_freq")),
        ];
        return
        [
            .. FindConflict("rope_theta", full, config.Rope.Theta),
            .. FindConflict("rope_theta of sliding layers", sliding, config.SlidingRope?.Theta),
        ];
    }

    static IEnumerable<string> FindConflict(string fact, List<(string Key, double? Theta)> all, double? used)
    {
        var named = all.Where(one => one.Theta is not null).ToList();
        if (used is not { } theta || named.TrueForAll(one => one.Theta == theta))
        {
            return [];
        }

        var found = named.Select(one => string.Create(CultureInfo.InvariantCulture, $"{one.Key} {one.Theta}"));
        return
        [
            string.Create(
                CultureInfo.InvariantCulture,
                $"{fact}: config.json {string.Join(", ", found)}; used is {theta}"
            ),
        ];
    }

    static RopeConfig? ReadSliding(ConfigJson json, ConfigJson? parameters, ModelFamily family)
    {
        var sliding = parameters?.GetObject("sliding_attention");
        if (sliding is null && family.SlidingTheta is null)
        {
            return null;
        }

        var theta =
            sliding?.GetDouble("rope_theta")
            ?? json.GetDouble("rope_local_base_freq")
            ?? family.SlidingTheta
            ?? family.Theta;
        return sliding is null ? new RopeConfig { Theta = theta } : ReadScaled(sliding, theta);
    }

    static RopeConfig ReadScaled(ConfigJson json, double theta)
    {
        if (json.GetDouble("partial_rotary_factor") is { } part and not 1)
        {
            throw json.Unsupported("partial_rotary_factor", $"{part}", "1");
        }

        foreach (var key in json.Keys.Except(KnownKeys))
        {
            if (json.Get(key) is { } value)
            {
                throw json.Unsupported($"rope_scaling.{key}", value.GetRawText(), string.Join(", ", KnownKeys));
            }
        }

        var type = json.GetString("rope_type") ?? json.GetString("type");
        if (json.GetString("type") is { } olderType && olderType != type)
        {
            throw json.Unsupported("rope_scaling.type", olderType, $"{type}, as rope_type has it");
        }

        if (type is null && json.Has("factor"))
        {
            throw new ModelFileException(json.File, "rope_scaling.rope_type", "is missing beside a factor.");
        }

        var rope = type switch
        {
            null or "default" => new RopeConfig { Theta = theta },
            "linear" => new RopeConfig
            {
                Theta = theta,
                Scaling = RopeScaling.Linear,
                Factor = ReadRequired(json, "factor"),
            },
            "llama3" => new RopeConfig
            {
                Theta = theta,
                Scaling = RopeScaling.Llama3,
                Factor = ReadRequired(json, "factor"),
                LowFrequencyFactor = ReadRequired(json, "low_freq_factor"),
                HighFrequencyFactor = ReadRequired(json, "high_freq_factor"),
                OriginalMaxPositions = ReadRequired(json, "original_max_position_embeddings"),
            },
            _ => throw json.Unsupported("rope_scaling.rope_type", type, "default, linear, llama3"),
        };
        CheckFactors(rope, json.File);
        return rope;
    }

    static double ReadRequired(ConfigJson json, string key) =>
        json.GetDouble(key) ?? throw new ModelFileException(json.File, $"rope_scaling.{key}", "is missing.");

    static void CheckFactors(RopeConfig rope, string file)
    {
        var arePositive = rope.Theta > 0 && rope.Factor > 0 && rope.LowFrequencyFactor > 0;
        if (!arePositive || !(rope.HighFrequencyFactor > rope.LowFrequencyFactor))
        {
            throw new ModelFileException(
                file,
                "rope_scaling",
                "theta and factors must be > 0, and high_freq_factor > low_freq_factor."
            );
        }
    }
}
