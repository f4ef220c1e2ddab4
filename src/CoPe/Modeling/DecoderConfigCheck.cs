namespace CoPe.Modeling;

/// <summary>Whether the sizes of a decoder fit together.</summary>
static class DecoderConfigCheck
{
    public static void Check(DecoderConfig config, string source)
    {
        void Positive(int value, string key)
        {
            if (value < 1) throw new ModelFileException(source, key, $"is {value}; expected a number >= 1.");
        }
        Positive(config.VocabSize, "vocab_size");
        Positive(config.HiddenSize, "hidden_size");
        Positive(config.IntermediateSize, "intermediate_size");
        Positive(config.LayerCount, "num_hidden_layers");
        Positive(config.HeadCount, "num_attention_heads");
        Positive(config.KeyValueHeadCount, "num_key_value_heads");
        Positive(config.HeadDim, "head_dim");
        if (config.HeadDim % 2 != 0) throw new ModelFileException(source, "head_dim", $"is {config.HeadDim}; rotary embeddings need an even number.");
        if (config.HeadCount % config.KeyValueHeadCount != 0)
            throw new ModelFileException(source, "num_key_value_heads", $"is {config.KeyValueHeadCount}, which does not divide {config.HeadCount} heads.");
        if (config.NormEpsilon < 0) throw new ModelFileException(source, "rms_norm_eps", $"is {config.NormEpsilon}; expected >= 0.");
        if (config.QueryScalar is <= 0) throw new ModelFileException(source, "query_pre_attn_scalar", $"is {config.QueryScalar}; expected > 0.");
    }
}
