using System.Text.Json;
using static TorchSharp.torch;

namespace CoPe.Modeling;

/// <summary>
/// Reads config.json into a <see cref="DecoderConfig"/> and refuses by name whatever the forward pass does not compute.
/// </summary>
static class DecoderConfigReader
{
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
        // Checkpoints with a vision tower keep the decoder's values in an object of their own.
        var json =
            root.GetString("model_type") == "gemma3"
                ? root.GetObject("text_config") ?? throw new ModelFileException(root.File, "text_config", "is missing.")
                : root;
        var family = ReadFamily(root, json);
        UnsupportedFeatures.ThrowIfPresent(root);
        if (!ReferenceEquals(root, json))
        {
            UnsupportedFeatures.ThrowIfPresent(json);
        }

        var config = Read(json, root, family);
        DecoderConfigValidator.Validate(config, json.File);
        var generation = Path.Combine(folder, "generation_config.json");
        var stops = File.Exists(generation) ? ConfigJson.Read(generation).GetInt32s("eos_token_id") : null;
        return stops is null ? config : config with { StopTokenIds = stops };
    }

    static ModelFamily ReadFamily(ConfigJson root, ConfigJson json)
    {
        var supported = string.Join(", ", ModelFamily.All.Select(f => f.ModelType).Append("gemma3"));
        var architecture = root.GetStrings("architectures") is [var first, ..] ? first : null;
        var type = json.GetString("model_type") ?? (ReferenceEquals(root, json) ? null : "gemma3_text");
        if (type is null)
        {
            throw new ModelFileException(json.File, "model_type", $"is missing; supported: {supported}.");
        }

        var family =
            ModelFamily.All.FirstOrDefault(f => f.ModelType == type)
            ?? throw json.Unsupported("model_type", type, supported);
        var expected = ReferenceEquals(root, json) ? family.Architecture : "Gemma3ForConditionalGeneration";
        if (architecture is not null && architecture != expected)
        {
            throw root.Unsupported("architectures", architecture, $"{expected} for model type {type}");
        }

        return family;
    }

    static DecoderConfig Read(ConfigJson json, ConfigJson root, ModelFamily family)
    {
        int Needed(string key, int? fallback = null) =>
            json.GetInt32(key) ?? fallback ?? throw new ModelFileException(json.File, key, "is missing.");
        var layers = Needed("num_hidden_layers");
        var heads = Needed("num_attention_heads", family.HeadCount);
        var hidden = Needed("hidden_size");
        // A number out of range is refused below.
        var sliding = SlidingWindowConfig.Read(json, family, Math.Clamp(layers, 0, DecoderConfigValidator.MaxLayers));
        var bias = json.GetBoolean("attention_bias") ?? false;
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
            KeyValueHeadCount = Needed(
                "num_key_value_heads",
                json.Has("num_key_value_heads") ? heads : family.KeyValueHeadCount ?? heads
            ),
            HeadDim = Needed("head_dim", family.HeadDim ?? (heads > 0 ? hidden / heads : 0)),
            MaxPositions = Needed("max_position_embeddings", family.MaxPositions),
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
            QueryScalar = family.QueryScalar is { } scalar ? json.GetDouble("query_pre_attn_scalar") ?? scalar : null,
            Rope = rope,
            SlidingRope = slidingRope,
            SlidingWindow = sliding.Window,
            SlidingLayers = sliding.Layers,
            Dtype =
                ReadDtype(json, root)
                ?? CheckpointReader.ReadDtype(Path.GetDirectoryName(json.File)!)
                ?? ScalarType.Float32,
            BosTokenId = root.GetInt32("bos_token_id") ?? json.GetInt32("bos_token_id"),
            PadTokenId = root.GetInt32("pad_token_id") ?? json.GetInt32("pad_token_id"),
            StopTokenIds = root.GetInt32s("eos_token_id") ?? json.GetInt32s("eos_token_id") ?? [],
        };
    }

    static Activation ReadActivation(ConfigJson json, ModelFamily family)
    {
        var key = family.ActivationKey;
        return (json.GetString(key) ?? (family.GemmaTraits ? "gelu_pytorch_tanh" : "silu")) switch
        {
            "silu" or "swish" => Activation.Silu,
            "gelu_pytorch_tanh" => Activation.GeluTanh,
            var other => throw json.Unsupported(key, other, "silu, gelu_pytorch_tanh"),
        };
    }

    static ScalarType? ReadDtype(ConfigJson json, ConfigJson root)
    {
        var name =
            json.GetString("dtype")
            ?? json.GetString("torch_dtype")
            ?? root.GetString("dtype")
            ?? root.GetString("torch_dtype");
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

/// <summary>
/// Reads rotary settings from <c>rope_theta</c> and <c>rope_scaling</c>, or from the newer <c>rope_parameters</c>.
/// </summary>
static class RopeConfigReader
{
    public static (RopeConfig Full, RopeConfig? Sliding) Read(ConfigJson json, ModelFamily family)
    {
        if (json.GetObject("rope_parameters") is { } newer)
        {
            return newer.GetObject("full_attention") is { } full
                ? (ReadScaled(full, full.GetDouble("rope_theta") ?? family.Theta), ReadSliding(newer, family))
                : (
                    ReadScaled(newer, newer.GetDouble("rope_theta") ?? json.GetDouble("rope_theta") ?? family.Theta),
                    ReadLocal(json, family)
                );
        }

        var theta = json.GetDouble("rope_theta") ?? family.Theta;
        var rope = json.GetObject("rope_scaling") is { } scaling
            ? ReadScaled(scaling, theta)
            : new RopeConfig { Theta = theta };
        return (rope, ReadLocal(json, family));
    }

    static RopeConfig? ReadLocal(ConfigJson json, ModelFamily family) =>
        family.SlidingTheta is { } local
            ? new RopeConfig { Theta = json.GetDouble("rope_local_base_freq") ?? local }
            : null;

    static RopeConfig? ReadSliding(ConfigJson byType, ModelFamily family) =>
        byType.GetObject("sliding_attention") is { } sliding
            ? ReadScaled(sliding, sliding.GetDouble("rope_theta") ?? family.SlidingTheta ?? family.Theta)
        : family.SlidingTheta is { } theta ? new RopeConfig { Theta = theta }
        : null;

    static RopeConfig ReadScaled(ConfigJson json, double theta)
    {
        double Needed(string key) =>
            json.GetDouble(key) ?? throw new ModelFileException(json.File, $"rope_scaling.{key}", "is missing.");
        if (json.GetDouble("partial_rotary_factor") is { } part and not 1)
        {
            throw json.Unsupported("partial_rotary_factor", $"{part}", "1");
        }

        var type =
            json.GetString("rope_type")
            ?? json.GetString("type")
            ?? (
                json.Has("factor")
                    ? throw new ModelFileException(json.File, "rope_scaling.rope_type", "is missing beside a factor.")
                    : "default"
            );
        var rope = type switch
        {
            "default" => new RopeConfig { Theta = theta },
            "linear" => new RopeConfig
            {
                Theta = theta,
                Scaling = RopeScaling.Linear,
                Factor = Needed("factor"),
            },
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
        if (
            !(
                theta > 0
                && rope.Factor > 0
                && rope.LowFrequencyFactor > 0
                && rope.HighFrequencyFactor > rope.LowFrequencyFactor
            )
        )
        {
            throw new ModelFileException(
                json.File,
                "rope_scaling",
                "theta and factors must be > 0, and high_freq_factor > low_freq_factor."
            );
        }

        return rope;
    }
}

/// <summary>Which layers slide and how far they see, from the older keys or from <c>layer_types</c>.</summary>
sealed record SlidingWindowConfig(int? Window, IReadOnlyList<bool> Layers)
{
    public static SlidingWindowConfig Read(ConfigJson json, ModelFamily family, int layers)
    {
        var switchedOff = family.WindowNeedsSwitch && json.GetBoolean("use_sliding_window") != true;
        // An explicit null switches the window off; an absent key means the family's default.
        var window = json.Has("sliding_window") ? json.GetInt32("sliding_window") : family.SlidingWindow;
        if (switchedOff || family.SlidingWindow is null || window is null)
        {
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
        if (json.GetStrings("layer_types") is not { } types)
        {
            return null;
        }

        if (types.Count != layers)
        {
            throw new ModelFileException(json.File, "layer_types", $"names {types.Count} layers; expected {layers}.");
        }

        return
        [
            .. types.Select(type =>
                type switch
                {
                    "full_attention" => false,
                    "sliding_attention" => true,
                    _ => throw json.Unsupported("layer_types", type, "full_attention, sliding_attention"),
                }
            ),
        ];
    }

    static List<bool> ReadPattern(ConfigJson json, ModelFamily family, int layers)
    {
        if (family.WindowNeedsSwitch)
        {
            var firstSliding = json.GetInt32("max_window_layers") ?? 28;
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

/// <summary>
/// Keys of config.json that ask for something the forward pass does not compute: refused before any weight is read,
/// never ignored.
/// </summary>
static class UnsupportedFeatures
{
    static readonly string[] MustBeAbsent =
    [
        "quantization_config",
        "num_local_experts",
        "num_experts",
        "n_routed_experts",
        "attn_logit_softcapping",
        "final_logit_softcapping",
        "no_rope_layers",
        "attention_chunk_size",
        "logits_scaling",
        "residual_multiplier",
        "embedding_multiplier",
    ];

    static readonly string[] MustBeFalse =
    [
        "use_bidirectional_attention",
        "use_qk_norm",
        "is_encoder_decoder",
        "add_cross_attention",
    ];

    public static void ThrowIfPresent(ConfigJson json)
    {
        foreach (var key in MustBeAbsent)
        {
            if (json.Get(key) is { } value && !IsZero(value))
            {
                throw json.Unsupported(key, value.GetRawText(), "absent or null");
            }
        }

        foreach (var key in MustBeFalse)
        {
            if (json.GetBoolean(key) == true)
            {
                throw json.Unsupported(key, "true", "false");
            }
        }

        if (json.GetDouble("partial_rotary_factor") is { } part and not 1)
        {
            throw json.Unsupported("partial_rotary_factor", $"{part}", "1");
        }
    }

    static bool IsZero(JsonElement value) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && number == 0;
}
