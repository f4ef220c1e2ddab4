namespace CoPe.Modeling;

/// <summary>Whether the sizes of a decoder fit together.</summary>
static class DecoderConfigValidator
{
    public const int MaxLayers = 1000;

    /// <summary>Beyond this, float32 has no frequency left for the slowest pair.</summary>
    const double MaxTheta = 1e30;

    /// <exception cref="ModelFileException">A value is out of range; names its key in config.json.</exception>
    public static void Validate(DecoderConfig config, string source)
    {
        // Upper bounds far beyond any model keep a damaged file from causing endless work.
        CheckRange(source, "vocab_size", config.VocabSize, 1 << 24);
        CheckRange(source, "hidden_size", config.HiddenSize, 1 << 20);
        CheckRange(source, "intermediate_size", config.IntermediateSize, 1 << 22);
        CheckRange(source, "num_hidden_layers", config.LayerCount, MaxLayers);
        CheckRange(source, "num_attention_heads", config.HeadCount, 4096);
        CheckRange(source, "num_key_value_heads", config.KeyValueHeadCount, 4096);
        CheckRange(source, "head_dim", config.HeadDim, 8192);
        CheckRange(source, "max_position_embeddings", config.MaxPositions, 1 << 28);
        CheckTheta(source, config.Rope);
        if (config.SlidingRope is not null)
        {
            CheckTheta(source, config.SlidingRope);
        }

        if (config.HeadDim % 2 != 0)
        {
            var problem = $"is {config.HeadDim}; rotary embeddings need an even number.";
            throw new ModelFileException(source, "head_dim", problem);
        }

        CheckRotary(source, config);

        if (config.HeadCount % config.KeyValueHeadCount != 0)
        {
            var problem = $"is {config.KeyValueHeadCount}, which does not divide {config.HeadCount} heads.";
            throw new ModelFileException(source, "num_key_value_heads", problem);
        }

        if (config.NormEpsilon < 0)
        {
            throw new ModelFileException(source, "rms_norm_eps", $"is {config.NormEpsilon}; expected >= 0.");
        }

        CheckPositive(source, "logits_scaling", config.LogitsScaling);
        CheckPositive(source, "attn_logit_softcapping", config.AttentionSoftCap ?? 1);
        CheckPositive(source, "final_logit_softcapping", config.LogitSoftCap ?? 1);
        if (config.QueryScalar is <= 0)
        {
            throw new ModelFileException(source, "query_pre_attn_scalar", $"is {config.QueryScalar}; expected > 0.");
        }
    }

    static void CheckPositive(string source, string key, double value)
    {
        if (value <= 0)
        {
            throw new ModelFileException(source, key, $"is {value}; expected > 0.");
        }
    }

    static void CheckRotary(string source, DecoderConfig config)
    {
        var (rope, width) = (config.Rope, config.Rope.GetRotaryDim(config.HeadDim));
        if (!(rope.PartialRotaryFactor <= 1) || width < 2 || width % 2 != 0)
        {
            var problem =
                $"is {rope.PartialRotaryFactor}, {width} of {config.HeadDim} coordinates; expected at most 1 "
                + "and an even number of coordinates.";
            throw new ModelFileException(source, "partial_rotary_factor", problem);
        }

        if (!rope.DependsOnLength)
        {
            return;
        }

        foreach (var (key, factors) in new[] { ("short_factor", rope.ShortFactors), ("long_factor", rope.LongFactors) })
        {
            if (factors.Count != width / 2)
            {
                var problem = $"has {factors.Count} numbers; expected {width / 2}, half of the rotated coordinates.";
                throw new ModelFileException(source, $"rope_scaling.{key}", problem);
            }
        }
    }

    static void CheckRange(string source, string key, int value, int max)
    {
        if (value < 1 || value > max)
        {
            throw new ModelFileException(source, key, $"is {value}; expected a number from 1 to {max}.");
        }
    }

    static void CheckTheta(string source, RopeConfig rope)
    {
        if (!(rope.Theta > 0 && rope.Theta <= MaxTheta))
        {
            var problem = $"is {rope.Theta}; expected a number above 0, at most {MaxTheta}.";
            throw new ModelFileException(source, "rope_theta", problem);
        }
    }
}
