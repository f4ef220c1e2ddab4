using CoPe.Gguf;
using CoPe.Modeling.Gguf;
using static TorchSharp.torch;

namespace CoPe.Modeling;

/// <summary>
/// Reads config.json into a <see cref="DecoderConfig"/> and refuses by name whatever the forward pass does not compute.
/// </summary>
static class DecoderConfigReader
{
    public static DecoderConfig Read(string folder)
    {
        if (GgufFile.IsNamed(folder))
        {
            return Read(GgufConfig.Read(folder));
        }

        if (!Directory.Exists(folder))
        {
            throw new ModelFileException(
                folder,
                "is no folder; expected a model folder as Hugging Face tools leave it."
            );
        }

        var config = Read(ConfigJson.Read(Path.Combine(folder, "config.json")));
        return ReadGenerationStops(folder) is { } stops ? config with { StopTokenIds = stops } : config;
    }

    static DecoderConfig Read(ConfigJson root)
    {
        var json = FindDecoder(root);
        var family = ReadFamily(root, json);
        ConfigKeys.Check(root, family);
        if (!ReferenceEquals(root, json))
        {
            ConfigKeys.Check(json, family);
        }

        var config = Read(json, root, family);
        DecoderConfigValidator.Validate(config, json.File);
        return config;
    }

    /// <summary>The object with the decoder's values: the whole file, or a part of it.</summary>
    public static ConfigJson FindDecoder(ConfigJson root) =>
        FindComposite(root) is null
            ? root
            : root.GetObject("text_config") ?? throw new ModelFileException(root.File, "text_config", "is missing.");

    static CompositeFamily? FindComposite(ConfigJson root)
    {
        var type = root.GetString("model_type");
        return CompositeFamily.All.FirstOrDefault(composite => composite.ModelType == type);
    }

    static IReadOnlyList<int>? ReadGenerationStops(string folder)
    {
        var file = Path.Combine(folder, "generation_config.json");
        return File.Exists(file) ? ConfigJson.Read(file).GetInt32s("eos_token_id") : null;
    }

    static ModelFamily ReadFamily(ConfigJson root, ConfigJson json)
    {
        var composite = FindComposite(root);
        var types = composite?.TextModelTypes ?? [.. ModelFamily.All.Select(f => f.ModelType)];
        var others = composite is null ? CompositeFamily.All.Select(c => c.ModelType) : [];
        var supported = string.Join(", ", types.Concat(others));
        var type = json.GetString("model_type") ?? composite?.TextModelTypes[0];
        if (type is null)
        {
            throw new ModelFileException(json.File, "model_type", $"is missing; supported: {supported}.");
        }

        if (!types.Contains(type))
        {
            throw json.Unsupported("model_type", type, supported);
        }

        var family = ModelFamily.All.First(f => f.ModelType == type);
        var architectures = root.GetStrings("architectures");
        var architecture = architectures is null or [] ? null : architectures[0];
        var expected = composite?.Architecture ?? family.Architecture;
        if (architecture is not null && architecture != expected)
        {
            throw root.Unsupported("architectures", architecture, $"{expected} for model type {type}");
        }

        return family;
    }

    static DecoderConfig Read(ConfigJson json, ConfigJson root, ModelFamily family)
    {
        var layers = ReadRequired(json, "num_hidden_layers");
        var heads = ReadRequired(json, "num_attention_heads", family.HeadCount);
        var hidden = ReadRequired(json, "hidden_size");
        // Absent is the family's number, an explicit null one for each query head.
        var defaultKeyHeads = json.Has("num_key_value_heads") ? heads : family.KeyValueHeadCount ?? heads;
        var defaultHeadDim = family.HeadDim ?? (heads > 0 ? hidden / heads : 0);
        // A number of layers out of range is refused later, by the validator.
        var layerKinds = LayerKinds.Read(json, family, Math.Clamp(layers, 0, DecoderConfigValidator.MaxLayers));
        var (rope, slidingRope) = RopeConfigReader.Read(json, family);
        var bias = ReadBias(json, family, "attention_bias", family.Bias != ProjectionBias.Never);
        var maxPositions = ReadRequired(json, "max_position_embeddings", family.MaxPositions);
        return new DecoderConfig
        {
            ModelType = family.ModelType,
            VocabSize = ReadRequired(json, "vocab_size", family.VocabSize),
            HiddenSize = hidden,
            IntermediateSize = ReadRequired(json, "intermediate_size"),
            LayerCount = layers,
            HeadCount = heads,
            KeyValueHeadCount = ReadRequired(json, "num_key_value_heads", defaultKeyHeads),
            HeadDim = ReadRequired(json, "head_dim", defaultHeadDim),
            MaxPositions = ExtendContext(maxPositions, rope),
            NormEpsilon = json.GetDouble("rms_norm_eps") ?? family.NormEpsilon,
            NormAddsOne = family.NormAddsOne,
            Norms = family.Norms,
            ScaleEmbedding = family.ScaleEmbedding,
            EmbeddingMultiplier = ReadOwn(json, family, "embedding_multiplier") ?? 1,
            ResidualMultiplier = ReadOwn(json, family, "residual_multiplier") ?? 1,
            LogitsScaling = ReadOwn(json, family, "logits_scaling") ?? 1,
            LogitSoftCap = ReadOwn(json, family, "final_logit_softcapping", family.LogitSoftCap),
            AttentionSoftCap = ReadOwn(json, family, "attn_logit_softcapping", family.AttentionSoftCap),
            QueryKeyNorm = family.QueryKeyNorm,
            QueryKeyNormAcrossHeads = family.QueryKeyNormAcrossHeads,
            QueryKeyValueBias = family.Bias == ProjectionBias.InputsAlways || bias,
            OutputBias = family.Bias == ProjectionBias.AllIfConfigured && bias,
            FusedQueryKeyValue = family.FusedQueryKeyValue,
            FusedGateUp = family.FusedGateUp,
            FeedForwardBias = ReadBias(json, family, "mlp_bias", family.HasFeedForwardBias),
            TiedHead =
                json.GetBoolean("tie_word_embeddings") ?? root.GetBoolean("tie_word_embeddings") ?? family.TiedHead,
            Activation = ReadActivation(json, family),
            QueryScalar = family.QueryScalar is null
                ? null
                : json.GetDouble("query_pre_attn_scalar") ?? family.QueryScalar,
            AttentionMultiplier = ReadOwn(json, family, "attention_multiplier", family.AttentionMultiplier),
            Rope = rope,
            SlidingRope = slidingRope,
            SlidingWindow = layerKinds.Window,
            SlidingLayers = layerKinds.Sliding,
            LayersWithoutRope = layerKinds.WithoutRope,
            Dtype = ReadDtype(json, root),
            BosTokenId = root.GetInt32("bos_token_id") ?? json.GetInt32("bos_token_id"),
            PadTokenId = root.GetInt32("pad_token_id") ?? json.GetInt32("pad_token_id"),
            StopTokenIds = root.GetInt32s("eos_token_id") ?? json.GetInt32s("eos_token_id") ?? [],
        };
    }

    static int ReadRequired(ConfigJson json, string key, int? fallback = null) =>
        json.GetInt32(key) ?? fallback ?? throw new ModelFileException(json.File, key, "is missing.");

    /// <summary>Hugging Face's code passes over a bias that its layers cannot have.</summary>
    static bool ReadBias(ConfigJson json, ModelFamily family, string key, bool isPossible)
    {
        var hasBias = json.GetBoolean(key) ?? false;
        return hasBias && !isPossible
            ? throw json.Unsupported(key, "true", $"false for model type {family.ModelType}")
            : hasBias;
    }

    /// <summary>
    /// A number under a key that not every model type reads; absent is the type's default, an explicit null none.
    /// </summary>
    static double? ReadOwn(ConfigJson json, ModelFamily family, string key, double? fallback = null) =>
        family.OwnKeys.Contains(key) && json.Has(key) ? json.GetDouble(key) : fallback;

    /// <summary>
    /// YaRN's context is the original one times its factor, also where a file gives the original alone.
    /// </summary>
    static int ExtendContext(int maxPositions, RopeConfig rope) =>
        rope.Scaling == RopeScaling.Yarn
            ? (int)Math.Max(maxPositions, Math.Min(rope.Factor * rope.OriginalMaxPositions, int.MaxValue))
            : maxPositions;

    static Activation ReadActivation(ConfigJson json, ModelFamily family)
    {
        var key = family.ActivationKey;
        if (json.GetString(key) is not { } name)
        {
            return family.Activation;
        }

        return ActivationNames.Find(name) ?? throw json.Unsupported(key, name, ActivationNames.Supported);
    }

    /// <summary>The type that the configuration names, else that of the weights.</summary>
    static ScalarType ReadDtype(ConfigJson json, ConfigJson root)
    {
        var name =
            json.GetString("dtype")
            ?? json.GetString("torch_dtype")
            ?? root.GetString("dtype")
            ?? root.GetString("torch_dtype");
        return name switch
        {
            null => CheckpointReader.ReadDtype(Path.GetDirectoryName(json.File)!) ?? ScalarType.Float32,
            "float32" => ScalarType.Float32,
            "bfloat16" => ScalarType.BFloat16,
            "float16" => ScalarType.Float16,
            _ => throw json.Unsupported("torch_dtype", name, "float32, bfloat16, float16"),
        };
    }
}
