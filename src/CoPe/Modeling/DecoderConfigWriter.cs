using System.Text.Json;
using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace CoPe.Modeling;

/// <summary>
/// Writes a <see cref="DecoderConfig"/> with Hugging Face's keys, such that reading it gives the same again.
/// </summary>
static class DecoderConfigWriter
{
    static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, NewLine = "\n" };

    /// <summary>config.json, for weights written as <paramref name="dtype"/>.</summary>
    /// <exception cref="ArgumentException">Hugging Face's keys cannot say the configuration or the dtype.</exception>
    public static string ToJson(DecoderConfig config, ScalarType dtype)
    {
        var family = FindFamily(config);
        CheckTraits(config, family);
        var json = CreateSizes(config, family);
        json["rms_norm_eps"] = config.NormEpsilon;
        json[family.ActivationKey] = config.Activation == Activation.Silu ? "silu" : "gelu_pytorch_tanh";
        json["attention_bias"] = config.OutputBias;
        json["mlp_bias"] = config.FeedForwardBias;
        json["tie_word_embeddings"] = config.TiedHead;
        if (config.QueryScalar is { } scalar)
        {
            json["query_pre_attn_scalar"] = scalar;
        }

        json["rope_theta"] = config.Rope.Theta;
        json["rope_scaling"] = CreateRopeScaling(config.Rope);
        if (config.SlidingRope is not null)
        {
            json["rope_local_base_freq"] = config.SlidingRope.Theta;
        }

        json["sliding_window"] = config.SlidingWindow;
        if (family.WindowNeedsSwitch)
        {
            json["use_sliding_window"] = config.SlidingWindow is not null;
        }

        if (config.SlidingWindow is not null)
        {
            json["layer_types"] = CreateLayerTypes(config);
        }

        json["bos_token_id"] = config.BosTokenId;
        json["pad_token_id"] = config.PadTokenId;
        json["eos_token_id"] = CreateStopTokens(config);
        json["torch_dtype"] = GetDtypeName(dtype);
        return json.ToJsonString(Indented) + "\n";
    }

    static ModelFamily FindFamily(DecoderConfig config)
    {
        var family = ModelFamily.All.FirstOrDefault(f => f.ModelType == config.ModelType);
        if (family is null)
        {
            var known = string.Join(", ", ModelFamily.All.Select(f => f.ModelType));
            throw new ArgumentException(
                $"Model type {config.ModelType} is not known; expected one of {known}.",
                nameof(config)
            );
        }

        return family;
    }

    static string GetDtypeName(ScalarType dtype) =>
        dtype switch
        {
            ScalarType.BFloat16 => "bfloat16",
            ScalarType.Float16 => "float16",
            ScalarType.Float32 => "float32",
            _ => throw new ArgumentException($"Weights are not written as {dtype}.", nameof(dtype)),
        };

    /// <summary>
    /// Traits that a model type implies have no key of their own: a configuration that contradicts its type cannot be
    /// written.
    /// </summary>
    static void CheckTraits(DecoderConfig config, ModelFamily family)
    {
        var hasNorms =
            config.NormAddsOne == family.GemmaTraits
            && config.NormsAfterBlocks == family.GemmaTraits
            && config.ScaleEmbedding == family.GemmaTraits
            && config.QueryKeyNorm == family.QueryKeyNorm;
        var hasBiases = family.AlwaysQueryKeyValueBias
            ? config.QueryKeyValueBias && !config.OutputBias
            : config.QueryKeyValueBias == config.OutputBias;
        var hasScale = (config.QueryScalar is null) == (family.QueryScalar is null);
        var hasWindow = config.SlidingWindow is null || family.SlidingWindow is not null;
        var hasSlidingRope =
            (config.SlidingRope is null) == (family.SlidingTheta is null)
            && config.SlidingRope is null or { Scaling: RopeScaling.None };
        if (hasNorms && hasBiases && hasScale && hasWindow && hasSlidingRope)
        {
            return;
        }

        throw new ArgumentException(
            "The configuration's norms, biases, query scale or sliding layers are not those of a "
                + $"{config.ModelType} model: Hugging Face's config.json cannot say so.",
            nameof(config)
        );
    }

    static JsonArray CreateLayerTypes(DecoderConfig config)
    {
        var types = new JsonArray();
        for (var layer = 0; layer < config.LayerCount; layer++)
        {
            types.Add((JsonNode)(config.IsSliding(layer) ? "sliding_attention" : "full_attention"));
        }

        return types;
    }

    static JsonObject CreateSizes(DecoderConfig config, ModelFamily family) =>
        new()
        {
            ["architectures"] = new JsonArray(family.Architecture),
            ["model_type"] = config.ModelType,
            ["vocab_size"] = config.VocabSize,
            ["hidden_size"] = config.HiddenSize,
            ["intermediate_size"] = config.IntermediateSize,
            ["num_hidden_layers"] = config.LayerCount,
            ["num_attention_heads"] = config.HeadCount,
            ["num_key_value_heads"] = config.KeyValueHeadCount,
            ["head_dim"] = config.HeadDim,
            ["max_position_embeddings"] = config.MaxPositions,
        };

    static JsonObject? CreateRopeScaling(RopeConfig rope) =>
        rope.Scaling switch
        {
            RopeScaling.Linear => new() { ["rope_type"] = "linear", ["factor"] = rope.Factor },
            RopeScaling.Llama3 => new()
            {
                ["rope_type"] = "llama3",
                ["factor"] = rope.Factor,
                ["low_freq_factor"] = rope.LowFrequencyFactor,
                ["high_freq_factor"] = rope.HighFrequencyFactor,
                ["original_max_position_embeddings"] = rope.OriginalMaxPositions,
            },
            _ => null,
        };

    /// <summary>generation_config.json: the ids that begin, end and pad a generated text.</summary>
    public static string ToGenerationJson(DecoderConfig config) =>
        new JsonObject
        {
            ["bos_token_id"] = config.BosTokenId,
            ["eos_token_id"] = CreateStopTokens(config),
            ["pad_token_id"] = config.PadTokenId,
        }.ToJsonString(Indented) + "\n";

    static JsonNode? CreateStopTokens(DecoderConfig config) =>
        config.StopTokenIds switch
        {
            [] => null,
            [var only] => JsonValue.Create(only),
            var many => new JsonArray([.. many.Select(id => JsonValue.Create(id))]),
        };
}
