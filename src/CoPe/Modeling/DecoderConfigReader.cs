using static TorchSharp.torch;

namespace CoPe.Modeling;

/// <summary>Reads config.json into a <see cref="DecoderConfig"/> and refuses by name whatever the forward pass does not compute.</summary>
static class DecoderConfigReader
{
    public static DecoderConfig Read(string folder)
    {
        if (!Directory.Exists(folder)) throw new ModelFileException(folder, "is no folder; expected a model folder as Hugging Face tools leave it.");
        var root = ConfigJson.Read(Path.Combine(folder, "config.json"));
        // Checkpoints with a vision tower keep the decoder's values in an object of their own.
        var json = root.Text("model_type") == "gemma3" ? root.Object("text_config") ?? throw new ModelFileException(root.File, "text_config", "is missing.") : root;
        var family = Family(root, json);
        UnsupportedFeatures.Refuse(root);
        if (!ReferenceEquals(root, json)) UnsupportedFeatures.Refuse(json);
        var config = Read(json, root, family);
        DecoderConfigCheck.Check(config, json.File);
        var generation = Path.Combine(folder, "generation_config.json");
        var stops = File.Exists(generation) ? ConfigJson.Read(generation).Ints("eos_token_id") : null;
        return stops is null ? config : config with { StopTokenIds = stops };
    }

    static ModelFamily Family(ConfigJson root, ConfigJson json)
    {
        var supported = string.Join(", ", ModelFamily.All.Select(f => f.ModelType).Append("gemma3"));
        var architecture = root.Texts("architectures") is [var first, ..] ? first : null;
        var type = json.Text("model_type") ?? (ReferenceEquals(root, json) ? null : "gemma3_text");
        if (type is null) throw new ModelFileException(json.File, "model_type", $"is missing; supported: {supported}.");
        var family = ModelFamily.All.FirstOrDefault(f => f.ModelType == type) ?? throw json.Unsupported("model_type", type, supported);
        var expected = ReferenceEquals(root, json) ? family.Architecture : "Gemma3ForConditionalGeneration";
        if (architecture is not null && architecture != expected) throw root.Unsupported("architectures", architecture, $"{expected} for model type {type}");
        return family;
    }

    static DecoderConfig Read(ConfigJson json, ConfigJson root, ModelFamily family)
    {
        int Needed(string key, int? fallback = null) => json.Int(key) ?? fallback ?? throw new ModelFileException(json.File, key, "is missing.");
        var layers = Needed("num_hidden_layers");
        var heads = Needed("num_attention_heads", family.HeadCount);
        var hidden = Needed("hidden_size");
        var sliding = SlidingConfig.Read(json, family, Math.Clamp(layers, 0, DecoderConfigCheck.MostLayers)); // a number out of range is refused below
        var bias = json.Flag("attention_bias") ?? false;
        var (rope, slidingRope) = RopeConfigReader.Read(json, family);
        return new DecoderConfig
        {
            ModelType = family.ModelType,
            VocabSize = Needed("vocab_size", family.VocabSize),
            HiddenSize = hidden,
            IntermediateSize = Needed("intermediate_size"),
            LayerCount = layers,
            HeadCount = heads,
            // Absent is the family's number, an explicit null one for each query head.
            KeyValueHeadCount = Needed("num_key_value_heads", json.Has("num_key_value_heads") ? heads : family.KeyValueHeadCount ?? heads),
            HeadDim = Needed("head_dim", family.HeadDim ?? (heads > 0 ? hidden / heads : 0)),
            MaxPositions = Needed("max_position_embeddings", family.MaxPositions),
            NormEpsilon = json.Number("rms_norm_eps") ?? 1e-6,
            NormAddsOne = family.GemmaTraits,
            NormsAfterBlocks = family.GemmaTraits,
            ScaleEmbedding = family.GemmaTraits,
            QueryKeyNorm = family.QueryKeyNorm,
            QueryKeyValueBias = family.AlwaysQueryKeyValueBias || bias,
            OutputBias = !family.AlwaysQueryKeyValueBias && bias,
            FeedForwardBias = json.Flag("mlp_bias") ?? false,
            TiedHead = json.Flag("tie_word_embeddings") ?? root.Flag("tie_word_embeddings") ?? family.TiedHead,
            Activation = ReadActivation(json, family),
            QueryScalar = family.QueryScalar is { } scalar ? json.Number("query_pre_attn_scalar") ?? scalar : null,
            Rope = rope,
            SlidingRope = slidingRope,
            SlidingWindow = sliding.Window,
            SlidingLayers = sliding.Layers,
            Dtype = ReadDtype(json, root) ?? CheckpointReader.DtypeOf(Path.GetDirectoryName(json.File)!) ?? ScalarType.Float32,
            BosTokenId = root.Int("bos_token_id") ?? json.Int("bos_token_id"),
            PadTokenId = root.Int("pad_token_id") ?? json.Int("pad_token_id"),
            StopTokenIds = root.Ints("eos_token_id") ?? json.Ints("eos_token_id") ?? [],
        };
    }

    static Activation ReadActivation(ConfigJson json, ModelFamily family)
    {
        var key = family.ActivationKey;
        return (json.Text(key) ?? (family.GemmaTraits ? "gelu_pytorch_tanh" : "silu")) switch
        {
            "silu" or "swish" => Activation.Silu,
            "gelu_pytorch_tanh" => Activation.GeluTanh,
            var other => throw json.Unsupported(key, other, "silu, gelu_pytorch_tanh"),
        };
    }

    static ScalarType? ReadDtype(ConfigJson json, ConfigJson root)
    {
        var name = json.Text("dtype") ?? json.Text("torch_dtype") ?? root.Text("dtype") ?? root.Text("torch_dtype");
        return name switch
        {
            null => null,
            "float32" => ScalarType.Float32,
            "bfloat16" => ScalarType.BFloat16,
            "float16" => ScalarType.Float16,
            _ => throw json.Unsupported("torch_dtype", name, "float32, bfloat16, float16"),
        };
    }
}
