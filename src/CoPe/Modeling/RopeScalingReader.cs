namespace CoPe.Modeling;

/// <summary>
/// Reads one object of rotary parameters, <c>rope_scaling</c> or <c>rope_parameters</c>, as transformers 5 does, and
/// refuses by name what it does not know.
/// </summary>
static class RopeScalingReader
{
    const string AttentionFactorKey = "attention_factor";
    const string OriginalKey = "original_max_position_embeddings";
    const string QueryScalingKey = "llama_4_scaling_beta";

    /// <summary>Known of every type of scaling; anything else may change what the model computes.</summary>
    static readonly string[] CommonKeys =
    [
        "rope_theta",
        "rope_type",
        "type",
        "partial_rotary_factor",
        "factor",
        "low_freq_factor",
        "high_freq_factor",
        OriginalKey,
    ];

    static readonly string[] YarnKeys =
    [
        .. CommonKeys,
        AttentionFactorKey,
        "beta_fast",
        "beta_slow",
        "mscale",
        "mscale_all_dim",
        "truncate",
    ];

    static readonly string[] LongRopeKeys = [.. CommonKeys, AttentionFactorKey, "short_factor", "long_factor"];

    /// <param name="scaling">The object.</param>
    /// <param name="theta">Base of the frequencies.</param>
    /// <param name="json">What stands beside it.</param>
    /// <param name="family">The model type.</param>
    public static RopeConfig Read(ConfigJson scaling, double theta, ConfigJson json, ModelFamily family)
    {
        var type = ReadType(scaling);
        var scalesQueries = family.Rope.QueryScalingBeta != 0;
        CheckKeys(scaling, type, scalesQueries);
        var rope = new RopeConfig { Theta = theta, Interleaved = family.Rope.Interleaved };
        rope = type switch
        {
            "default" => rope,
            "linear" => rope with { Scaling = RopeScaling.Linear, Factor = ReadRequired(scaling, "factor") },
            "llama3" => rope with
            {
                Scaling = RopeScaling.Llama3,
                Factor = ReadRequired(scaling, "factor"),
                LowFrequencyFactor = ReadRequired(scaling, "low_freq_factor"),
                HighFrequencyFactor = ReadRequired(scaling, "high_freq_factor"),
                OriginalMaxPositions = ReadRequired(scaling, OriginalKey),
            },
            "yarn" => ReadYarn(rope, scaling, json, family),
            "longrope" => ReadLongRope(rope, scaling, json, family),
            _ => throw scaling.Unsupported("rope_scaling.rope_type", type, "default, linear, llama3, yarn, longrope"),
        };
        if (scalesQueries)
        {
            rope = rope with
            {
                QueryScalingBeta = ReadRequired(scaling, QueryScalingKey),
                OriginalMaxPositions = ReadRequired(scaling, OriginalKey),
            };
        }

        CheckFactors(rope, scaling.File);
        return rope;
    }

    static string ReadType(ConfigJson scaling)
    {
        var (newer, older) = (scaling.GetString("rope_type"), scaling.GetString("type"));
        if (newer is not null && older is not null && older != newer)
        {
            throw scaling.Unsupported("rope_scaling.type", older, $"{newer}, as rope_type has it");
        }

        var type = newer ?? older;
        if (type is null && scaling.Has("factor"))
        {
            throw new ModelFileException(scaling.File, "rope_scaling.rope_type", "is missing beside a factor.");
        }

        return type switch
        {
            null => "default",
            "su" => "longrope", // its first name
            _ => type,
        };
    }

    static void CheckKeys(ConfigJson scaling, string type, bool scalesQueries)
    {
        var known = type switch
        {
            "yarn" => YarnKeys,
            "longrope" => LongRopeKeys,
            _ => CommonKeys,
        };
        foreach (var key in scaling.Keys.Except(known))
        {
            if (scaling.Get(key) is { } value && !(key == QueryScalingKey && scalesQueries))
            {
                throw scaling.Unsupported($"rope_scaling.{key}", value.GetRawText(), string.Join(", ", known));
            }
        }
    }

    static RopeConfig ReadYarn(RopeConfig rope, ConfigJson scaling, ConfigJson json, ModelFamily family)
    {
        var original = ReadOriginal(scaling, json, family);
        var factor = scaling.GetDouble("factor") ?? ReadMaxPositions(json, family) / original;
        return rope with
        {
            Scaling = RopeScaling.Yarn,
            Factor = factor,
            OriginalMaxPositions = original,
            // Zero counts as absent, as in Python.
            BetaFast = scaling.GetDouble("beta_fast") is { } fast and not 0 ? fast : rope.BetaFast,
            BetaSlow = scaling.GetDouble("beta_slow") is { } slow and not 0 ? slow : rope.BetaSlow,
            RoundsRamp = scaling.GetBoolean("truncate") ?? true,
            AttentionFactor = scaling.GetDouble(AttentionFactorKey) ?? ComputeYarnFactor(scaling, factor),
        };
    }

    /// <summary><c>0.1 m ln(factor) + 1</c>, of two given m their ratio.</summary>
    static double ComputeYarnFactor(ConfigJson scaling, double factor)
    {
        var (scale, allDimensions) = (scaling.GetDouble("mscale") ?? 0, scaling.GetDouble("mscale_all_dim") ?? 0);
        return scale == 0 || allDimensions == 0 ? Compute(1) : Compute(scale) / Compute(allDimensions);

        double Compute(double m) => factor <= 1 ? 1 : 0.1 * m * Math.Log(factor) + 1;
    }

    static RopeConfig ReadLongRope(RopeConfig rope, ConfigJson scaling, ConfigJson json, ModelFamily family)
    {
        var original = ReadOriginal(scaling, json, family);
        var factor = scaling.GetDouble("factor") ?? ReadMaxPositions(json, family) / original;
        var computed = factor <= 1 ? 1 : Math.Sqrt(1 + Math.Log(factor) / Math.Log(original));
        return rope with
        {
            Scaling = RopeScaling.LongRope,
            Factor = factor,
            OriginalMaxPositions = original,
            ShortFactors = ReadFactors(scaling, "short_factor"),
            LongFactors = ReadFactors(scaling, "long_factor"),
            AttentionFactor = scaling.GetDouble(AttentionFactorKey) ?? computed,
        };
    }

    /// <summary>Beside the object (Phi-3) it goes before the one within.</summary>
    static double ReadOriginal(ConfigJson scaling, ConfigJson json, ModelFamily family) =>
        json.GetDouble(OriginalKey)
        ?? family.OriginalMaxPositions
        ?? scaling.GetDouble(OriginalKey)
        ?? ReadMaxPositions(json, family);

    static double ReadMaxPositions(ConfigJson json, ModelFamily family) =>
        json.GetInt32("max_position_embeddings") ?? family.MaxPositions;

    static IReadOnlyList<double> ReadFactors(ConfigJson scaling, string key) =>
        scaling.GetDoubles(key) ?? throw new ModelFileException(scaling.File, $"rope_scaling.{key}", "is missing.");

    static double ReadRequired(ConfigJson scaling, string key) =>
        scaling.GetDouble(key) ?? throw new ModelFileException(scaling.File, $"rope_scaling.{key}", "is missing.");

    static void CheckFactors(RopeConfig rope, string file)
    {
        double[] factors =
        [
            rope.Theta,
            rope.Factor,
            rope.LowFrequencyFactor,
            rope.OriginalMaxPositions,
            rope.BetaFast,
            rope.BetaSlow,
            rope.AttentionFactor,
            .. rope.ShortFactors,
            .. rope.LongFactors,
        ];
        var isAscending = rope.HighFrequencyFactor > rope.LowFrequencyFactor;
        if (!isAscending || !Array.TrueForAll(factors, factor => factor > 0 && double.IsFinite(factor)))
        {
            throw new ModelFileException(
                file,
                "rope_scaling",
                "theta and factors must be > 0, and high_freq_factor > low_freq_factor."
            );
        }
    }
}
