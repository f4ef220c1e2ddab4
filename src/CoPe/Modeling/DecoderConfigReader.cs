using static TorchSharp.torch;

namespace CoPe.Modeling;

/// <summary>
/// Reads config.json into a <see cref="DecoderConfig"/> and refuses by name whatever the forward pass does not compute.
/// </summary>
static class DecoderConfigReader
{
    /// <summary>Checkpoints with a vision tower keep the decoder's values in an object of their own.</summary>
    const string VisionModelType = "gemma3";
    const string VisionArchitecture = "Gemma3ForConditionalGeneration";
    const string TextModelType = "gemma3_text";

    public static DecoderConfig Read(string folder)
    {
        if (!Directory.Exists(folder))
        {
            throw new ModelFileException(
                folder,
                "is no folder; expected a model folder as Hugging Face tools leave it."
            );
        }

        var root = ConfigJson.Read(Path.Combine(folder, "config.json"));
        var json = FindDecoder(root);
        var family = ReadFamily(root, json);
        ConfigKeys.Check(root);
        if (!ReferenceEquals(root, json))
        {
            ConfigKeys.Check(json);
        }

        var config = Read(json, root, family);
        DecoderConfigValidator.Validate(config, json.File);
        return ReadGenerationStops(folder) is { } stops ? config with { StopTokenIds = stops } : config;
    }

    /// <summary>The object with the decoder's values: the whole file, or a part of it.</summary>
    public static ConfigJson FindDecoder(ConfigJson root) =>
        root.GetString("model_type") != VisionModelType
            ? root
            : root.GetObject("text_config") ?? throw new ModelFileException(root.File, "text_config", "is missing.");

    static IReadOnlyList<int>? ReadGenerationStops(string folder)
    {
        var file = Path.Combine(folder, "generation_config.json");
        return File.Exists(file) ? ConfigJson.Read(file).GetInt32s("eos_token_id") : null;
    }

    static ModelFamily ReadFamily(ConfigJson root, ConfigJson json)
    {
        var hasVision = !ReferenceEquals(root, json);
        var supported = string.Join(", ", ModelFamily.All.Select(f => f.ModelType).Append(VisionModelType));
        var type = json.GetString("model_type") ?? (hasVision ? TextModelType : null);
        if (type is null)
        {
            throw new ModelFileException(json.File, "model_type", $"is missing; supported: {supported}.");
        }

        var family =
            ModelFamily.All.FirstOrDefault(f => f.ModelType == type)
            ?? throw json.Unsupported("model_type", type, supported);
        var architectures = root.GetStrings("architectures");
        var architecture = architectures is null or [] ? null : architectures[0];
        var expected = hasVision ? VisionArchitecture : family.Architecture;
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
        var sliding = SlidingWindowConfig.Read(json, family, Math.Clamp(layers, 0, DecoderConfigValidator.MaxLayers));
        var (rope, slidingRope) = RopeConfigReader.Read(json, family);
        var bias = json.GetBoolean("attention_bias") ?? false;
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
            MaxPositions = ReadRequired(json, "max_position_embeddings", family.MaxPositions),
            NormEpsilon = json.GetDouble("rms_norm_eps") ?? 1e-6,
            NormAddsOne = family.GemmaTraits,
            NormsAfterBlocks = family.GemmaTraits,
            ScaleEmbedding = family.GemmaTraits,
            QueryKeyNorm = family.QueryKeyNorm,
            QueryKeyValueBias = family.AlwaysQueryKeyValueBias || bias,
            OutputBias = !family.AlwaysQueryKeyValueBias && bias,
            FeedForwardBias = json.GetBoolean("mlp_bias") ?? false,
            TiedHead =
                json.GetBoolean("tie_word_embeddings") ?? root.GetBoolean("tie_word_embeddings") ?? family.TiedHead,
            Activation = ReadActivation(json, family),
            QueryScalar = family.QueryScalar is null
                ? null
                : json.GetDouble("query_pre_attn_scalar") ?? family.QueryScalar,
            Rope = rope,
            SlidingRope = slidingRope,
            SlidingWindow = sliding.Window,
            SlidingLayers = sliding.Layers,
            Dtype = ReadDtype(json, root),
            BosTokenId = root.GetInt32("bos_token_id") ?? json.GetInt32("bos_token_id"),
            PadTokenId = root.GetInt32("pad_token_id") ?? json.GetInt32("pad_token_id"),
            StopTokenIds = root.GetInt32s("eos_token_id") ?? json.GetInt32s("eos_token_id") ?? [],
        };
    }

    static int ReadRequired(ConfigJson json, string key, int? fallback = null) =>
        json.GetInt32(key) ?? fallback ?? throw new ModelFileException(json.File, key, "is missing.");

    static Activation ReadActivation(ConfigJson json, ModelFamily family)
    {
        var key = family.ActivationKey;
        var name = json.GetString(key) ?? (family.GemmaTraits ? "gelu_pytorch_tanh" : "silu");
        return name switch
        {
            "silu" or "swish" => Activation.Silu,
            "gelu_pytorch_tanh" => Activation.GeluTanh,
            _ => throw json.Unsupported(key, name, "silu, gelu_pytorch_tanh"),
        };
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

/// <summary>Which layers slide and how far they see, from the older keys or from <c>layer_types</c>.</summary>
/// <param name="Window">Positions that a query of a sliding layer sees; null where no layer slides.</param>
/// <param name="Layers">For each layer whether it slides.</param>
sealed record SlidingWindowConfig(int? Window, IReadOnlyList<bool> Layers)
{
    /// <summary>First sliding layer of Qwen models whose configuration does not say.</summary>
    const int DefaultFirstSlidingLayer = 28;

    public static SlidingWindowConfig Read(ConfigJson json, ModelFamily family, int layers)
    {
        var isSwitchedOff = family.WindowNeedsSwitch && json.GetBoolean("use_sliding_window") != true;
        // An explicit null switches the window off; an absent key means the family's default.
        var window = json.Has("sliding_window") ? json.GetInt32("sliding_window") : family.SlidingWindow;
        if (isSwitchedOff || family.SlidingWindow is null || window is null)
        {
            if (ReadLayerTypes(json, layers)?.Contains(true) == true)
            {
                const string Supported = "full_attention in every layer where no sliding window is on";
                throw json.Unsupported("layer_types", "sliding_attention", Supported);
            }

            return new SlidingWindowConfig(null, []);
        }

        if (window < 1)
        {
            throw json.Unsupported("sliding_window", $"{window}", "a number of positions >= 1");
        }

        var byType = ReadLayerTypes(json, layers);
        // Hugging Face's code for such a type has one mask for all layers, whatever the list says.
        if (family.SlidingPattern == 0 && byType is not null && byType.Contains(false))
        {
            throw json.Unsupported(
                "layer_types",
                "full_attention",
                $"sliding_attention in every layer for model type {family.ModelType} with a sliding_window"
            );
        }

        return new SlidingWindowConfig(window, byType ?? ReadPattern(json, family, layers));
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

    static List<bool> ReadPattern(ConfigJson json, ModelFamily family, int layers)
    {
        if (family.WindowNeedsSwitch)
        {
            var firstSliding = json.GetInt32("max_window_layers") ?? DefaultFirstSlidingLayer;
            return [.. Enumerable.Range(0, layers).Select(layer => layer >= firstSliding)];
        }

        var pattern =
            json.GetInt32("sliding_window_pattern")
            ?? json.GetInt32("_sliding_window_pattern")
            ?? family.SlidingPattern
            ?? 0;
        return [.. Enumerable.Range(0, layers).Select(layer => pattern <= 0 || (layer + 1) % pattern != 0)];
    }
}
