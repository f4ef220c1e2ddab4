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
        json[family.ActivationKey] = ActivationNames.GetName(config.Activation);
        json["attention_bias"] = config.QueryKeyValueBias && family.Bias is not ProjectionBias.InputsAlways;
        json["mlp_bias"] = config.FeedForwardBias;
        json["tie_word_embeddings"] = config.TiedHead;
        if (config.QueryScalar is { } scalar)
        {
            json["query_pre_attn_scalar"] = scalar;
        }

        AddOwnKeys(json, config, family);
        AddRope(json, config, family);
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
            config.NormAddsOne == family.NormAddsOne
            && config.Norms == family.Norms
            && config.ScaleEmbedding == family.ScaleEmbedding
            && config.QueryKeyNorm == family.QueryKeyNorm
            && config.QueryKeyNormAcrossHeads == family.QueryKeyNormAcrossHeads;
        var hasBiases = family.Bias switch
        {
            ProjectionBias.InputsAlways => config.QueryKeyValueBias && !config.OutputBias,
            ProjectionBias.InputsIfConfigured => !config.OutputBias,
            ProjectionBias.Never => !config.QueryKeyValueBias && !config.OutputBias,
            _ => config.QueryKeyValueBias == config.OutputBias,
        };
        hasBiases = hasBiases && (family.HasFeedForwardBias || !config.FeedForwardBias);
        var hasScale = (config.QueryScalar is null) == (family.QueryScalar is null);
        var hasWindow = config.SlidingWindow is null || family.Sliding != SlidingRule.Never;
        var hasSlidingRope = HasSlidingRope(config, family);
        var isFused =
            config.FusedQueryKeyValue == family.FusedQueryKeyValue && config.FusedGateUp == family.FusedGateUp;
        if (hasNorms && hasBiases && hasScale && hasWindow && hasSlidingRope && isFused && HasOwnValues(config, family))
        {
            return;
        }

        throw new ArgumentException(
            "The configuration's norms, biases, scales, weights or kinds of layers are not those of a "
                + $"{config.ModelType} model: Hugging Face's config.json cannot say so.",
            nameof(config)
        );
    }

    static bool HasSlidingRope(DecoderConfig config, ModelFamily family)
    {
        if (family.ScalesFullLayersOnly)
        {
            return config.SlidingRope == new RopeConfig { Theta = config.Rope.Theta };
        }

        return (config.SlidingRope is null) == (family.SlidingTheta is null)
            && config.SlidingRope is null or { Scaling: RopeScaling.None };
    }

    /// <summary>Whether what only some model types can say is said of one that can.</summary>
    static bool HasOwnValues(DecoderConfig config, ModelFamily family)
    {
        bool CanSay(string key) => family.OwnKeys.Contains(key);
        var isRotatedAsFamily = family.UnrotatedLayers switch
        {
            UnrotatedLayers.Listed => true,
            UnrotatedLayers.FullBesideSliding => Enumerable
                .Range(0, config.LayerCount)
                .All(layer => config.HasRope(layer) == (config.SlidingWindow is null || config.IsSliding(layer))),
            _ => Enumerable.Range(0, config.LayerCount).All(config.HasRope),
        };
        return isRotatedAsFamily
            && config.Rope.Interleaved == family.Rope.Interleaved
            && (config.Rope.PartialRotaryFactor == 1 || family.HasPartialRotation)
            && (config.Rope.QueryScalingBeta == 0) == (family.Rope.QueryScalingBeta == 0)
            && (config.EmbeddingMultiplier == 1 || CanSay("embedding_multiplier"))
            && (config.ResidualMultiplier == 1 || CanSay("residual_multiplier"))
            && (config.LogitsScaling == 1 || CanSay("logits_scaling"))
            && (config.AttentionMultiplier is null || CanSay("attention_multiplier"))
            && (config.AttentionSoftCap is null || CanSay("attn_logit_softcapping"))
            && (config.LogitSoftCap is null || CanSay("final_logit_softcapping"));
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

    static void AddOwnKeys(JsonObject json, DecoderConfig config, ModelFamily family)
    {
        Dictionary<string, JsonNode?> values = new(StringComparer.Ordinal)
        {
            ["embedding_multiplier"] = config.EmbeddingMultiplier,
            ["residual_multiplier"] = config.ResidualMultiplier,
            ["logits_scaling"] = config.LogitsScaling,
            ["attention_multiplier"] = config.AttentionMultiplier,
            ["attn_logit_softcapping"] = config.AttentionSoftCap,
            ["final_logit_softcapping"] = config.LogitSoftCap,
            ["partial_rotary_factor"] = config.Rope.PartialRotaryFactor,
            ["no_rope_layers"] = CreateRopeLayers(config),
        };
        foreach (var key in family.OwnKeys.Where(values.ContainsKey))
        {
            json[key] = values[key];
        }
    }

    /// <summary>1 for each layer with a rotary embedding.</summary>
    static JsonArray CreateRopeLayers(DecoderConfig config) =>
        [.. Enumerable.Range(0, config.LayerCount).Select(layer => JsonValue.Create(config.HasRope(layer) ? 1 : 0))];

    static void AddRope(JsonObject json, DecoderConfig config, ModelFamily family)
    {
        json["rope_theta"] = config.Rope.Theta;
        json["rope_scaling"] = RopeScalingWriter.Create(config.Rope, family);
        if (family.OriginalMaxPositions is not null && config.Rope.DependsOnLength)
        {
            json["original_max_position_embeddings"] = config.Rope.OriginalMaxPositions;
        }

        if (family.SlidingTheta is not null)
        {
            json["rope_local_base_freq"] = config.SlidingRope!.Theta;
        }
    }

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
