namespace CoPe.Modeling;

/// <summary>Names and shapes of a decoder's weights, in model order, as Hugging Face names them.</summary>
static class WeightLayout
{
    public const string Embedding = "model.embed_tokens.weight";
    public const string FinalNorm = "model.norm.weight";
    public const string Head = "lm_head.weight";
    public const string EmbeddingLayer = "model.embed_tokens";
    public const string HeadLayer = "lm_head";

    /// <summary>Beginnings of the names of other parts than the decoder.</summary>
    static readonly string[] OtherParts =
    [
        "vision_tower.",
        "multi_modal_projector.",
        "model.vision_tower.",
        "model.multi_modal_projector.",
    ];

    public static string GetLayerName(int index) => $"model.layers.{index}";

    /// <summary>
    /// What adapters may target, in model order: the linear layers, and by their names alone embedding and head. The
    /// embedding counts as a layer from ids to the residual stream.
    /// </summary>
    public static IEnumerable<LinearLayer> ListAdaptable(DecoderConfig config) =>
        ListLinearLayers(config)
            .Prepend(new LinearLayer(EmbeddingLayer, config.VocabSize, config.HiddenSize, HasBias: false))
            .Append(new LinearLayer(HeadLayer, config.HiddenSize, config.VocabSize, HasBias: false));

    /// <summary>Whether a layer is the embedding or the head.</summary>
    public static bool IsEmbeddingOrHead(string layer) => layer is EmbeddingLayer or HeadLayer;

    /// <summary>The linear layers of the decoder's blocks.</summary>
    public static IEnumerable<LinearLayer> ListLinearLayers(DecoderConfig config) =>
        Enumerable.Range(0, config.LayerCount).SelectMany(i => ListLinearLayers(config, GetLayerName(i)));

    static IEnumerable<LinearLayer> ListLinearLayers(DecoderConfig config, string layer)
    {
        var hidden = config.HiddenSize;
        var intermediate = config.IntermediateSize;
        var queries = config.HeadCount * config.HeadDim;
        var keys = config.KeyValueHeadCount * config.HeadDim;
        if (config.FusedQueryKeyValue)
        {
            var all = queries + 2 * keys;
            yield return new LinearLayer($"{layer}.self_attn.qkv_proj", hidden, all, config.QueryKeyValueBias);
        }
        else
        {
            yield return new LinearLayer($"{layer}.self_attn.q_proj", hidden, queries, config.QueryKeyValueBias);
            yield return new LinearLayer($"{layer}.self_attn.k_proj", hidden, keys, config.QueryKeyValueBias);
            yield return new LinearLayer($"{layer}.self_attn.v_proj", hidden, keys, config.QueryKeyValueBias);
        }

        yield return new LinearLayer($"{layer}.self_attn.o_proj", queries, hidden, config.OutputBias);
        if (config.FusedGateUp)
        {
            yield return new LinearLayer($"{layer}.mlp.gate_up_proj", hidden, 2 * intermediate, config.FeedForwardBias);
        }
        else
        {
            yield return new LinearLayer($"{layer}.mlp.gate_proj", hidden, intermediate, config.FeedForwardBias);
            yield return new LinearLayer($"{layer}.mlp.up_proj", hidden, intermediate, config.FeedForwardBias);
        }

        yield return new LinearLayer($"{layer}.mlp.down_proj", intermediate, hidden, config.FeedForwardBias);
    }

    static IEnumerable<(string Name, int Width)> ListNorms(DecoderConfig config, string layer)
    {
        if (config.QueryKeyNorm)
        {
            var (queries, keys) = config.QueryKeyNormAcrossHeads
                ? (config.HeadCount, config.KeyValueHeadCount)
                : (1, 1);
            yield return ($"{layer}.self_attn.q_norm", queries * config.HeadDim);
            yield return ($"{layer}.self_attn.k_norm", keys * config.HeadDim);
        }

        foreach (var norm in config.Norms.Names)
        {
            yield return ($"{layer}.{norm}", config.HiddenSize);
        }
    }

    /// <summary>Every weight that the decoder needs.</summary>
    public static IEnumerable<(string Name, long[] Shape)> ListWeights(DecoderConfig config)
    {
        yield return (Embedding, [config.VocabSize, config.HiddenSize]);
        for (var i = 0; i < config.LayerCount; i++)
        {
            foreach (var linear in ListLinearLayers(config, GetLayerName(i)))
            {
                yield return ($"{linear.Name}.weight", [linear.Outputs, linear.Inputs]);
                if (linear.HasBias)
                {
                    yield return ($"{linear.Name}.bias", [linear.Outputs]);
                }
            }

            foreach (var (name, width) in ListNorms(config, GetLayerName(i)))
            {
                yield return ($"{name}.weight", [width]);
            }
        }

        yield return (FinalNorm, [config.HiddenSize]);
        if (!config.TiedHead)
        {
            yield return (Head, [config.VocabSize, config.HiddenSize]);
        }
    }

    /// <summary>Name of the head's weight in a checkpoint whose embedding's is <paramref name="embedding"/>.</summary>
    public static string GetHeadNameBeside(string embedding) =>
        embedding.EndsWith("." + Embedding, StringComparison.Ordinal) ? embedding[..^Embedding.Length] + Head : Head;

    /// <summary>
    /// Our name for a checkpoint's tensor; null for one that belongs to another part of the model or that is computed
    /// instead of read.
    /// </summary>
    public static string? ToCanonicalName(string name)
    {
        const string Multimodal = "model.language_model.";
        const string OldMultimodal = "language_model.";
        var isOtherPart = OtherParts.Any(part => name.StartsWith(part, StringComparison.Ordinal));
        if (isOtherPart || name.EndsWith(".rotary_emb.inv_freq", StringComparison.Ordinal))
        {
            return null;
        }

        if (name.StartsWith(Multimodal, StringComparison.Ordinal))
        {
            return "model." + name[Multimodal.Length..];
        }

        return name.StartsWith(OldMultimodal, StringComparison.Ordinal) ? name[OldMultimodal.Length..] : name;
    }
}

/// <summary>A linear layer of a decoder, as adapters see it.</summary>
/// <param name="Name">Full name, for example <c>model.layers.0.self_attn.q_proj</c>.</param>
/// <param name="Inputs">Width of its input.</param>
/// <param name="Outputs">Width of its output.</param>
/// <param name="HasBias">Whether it adds a bias.</param>
sealed record LinearLayer(string Name, int Inputs, int Outputs, bool HasBias)
{
    /// <summary>Last part of the name, for example <c>q_proj</c>.</summary>
    public string ShortName => Name[(Name.LastIndexOf('.') + 1)..];
}
