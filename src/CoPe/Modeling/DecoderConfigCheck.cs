namespace CoPe.Modeling;

/// <summary>Whether the sizes of a decoder fit together.</summary>
static class DecoderConfigCheck
{
    public const int MostLayers = 1000;

    /// <summary>Beyond this, float32 has no frequency left for the slowest pair.</summary>
    const double MostTheta = 1e30;

    public static void Check(DecoderConfig config, string source)
    {
        // Upper bounds far beyond any model keep a damaged file from asking for endless work.
        void InRange(int value, string key, int most)
        {
            if (value < 1 || value > most) throw new ModelFileException(source, key, $"is {value}; expected a number from 1 to {most}.");
        }
        InRange(config.VocabSize, "vocab_size", 1 << 24);
        InRange(config.HiddenSize, "hidden_size", 1 << 20);
        InRange(config.IntermediateSize, "intermediate_size", 1 << 22);
        InRange(config.LayerCount, "num_hidden_layers", MostLayers);
        InRange(config.HeadCount, "num_attention_heads", 4096);
        InRange(config.KeyValueHeadCount, "num_key_value_heads", 4096);
        InRange(config.HeadDim, "head_dim", 8192);
        InRange(config.MaxPositions, "max_position_embeddings", 1 << 28);
        foreach (var rope in new[] { config.Rope, config.SlidingRope }.OfType<RopeConfig>())
            if (!(rope.Theta > 0 && rope.Theta <= MostTheta)) throw new ModelFileException(source, "rope_theta", $"is {rope.Theta}; expected a number above 0, at most {MostTheta}.");
        if (config.HeadDim % 2 != 0) throw new ModelFileException(source, "head_dim", $"is {config.HeadDim}; rotary embeddings need an even number.");
        if (config.HeadCount % config.KeyValueHeadCount != 0)
            throw new ModelFileException(source, "num_key_value_heads", $"is {config.KeyValueHeadCount}, which does not divide {config.HeadCount} heads.");
        if (config.NormEpsilon < 0) throw new ModelFileException(source, "rms_norm_eps", $"is {config.NormEpsilon}; expected >= 0.");
        if (config.QueryScalar is <= 0) throw new ModelFileException(source, "query_pre_attn_scalar", $"is {config.QueryScalar}; expected > 0.");
    }
}
