namespace CoPe.Modeling;

/// <summary>Names and shapes of a decoder's weights, in model order, as Hugging Face names them.</summary>
static class WeightLayout
{
    public const string Embedding = "model.embed_tokens.weight";
    public const string FinalNorm = "model.norm.weight";
    public const string Head = "lm_head.weight";

    public static string GetLayerName(int index) => $"model.layers.{index}";

    /// <summary>The linear layers that adapters may target.</summary>
    public static IEnumerable<LinearLayer> ListLinearLayers(DecoderConfig config) =>
        Enumerable.Range(0, config.LayerCount).SelectMany(i => ListLinearLayers(config, GetLayerName(i)));

    static IEnumerable<LinearLayer> ListLinearLayers(DecoderConfig config, string layer)
    {
        var (hidden, queries, keys) = (
            config.HiddenSize,
            config.HeadCount * config.HeadDim,
            config.KeyValueHeadCount * config.HeadDim
        );
        yield return new($"{layer}.self_attn.q_proj", hidden, queries, config.QueryKeyValueBias);
        yield return new($"{layer}.self_attn.k_proj", hidden, keys, config.QueryKeyValueBias);
        yield return new($"{layer}.self_attn.v_proj", hidden, keys, config.QueryKeyValueBias);
        yield return new($"{layer}.self_attn.o_proj", queries, hidden, config.OutputBias);
        yield return new($"{layer}.mlp.gate_proj", hidden, config.IntermediateSize, config.FeedForwardBias);
        yield return new($"{layer}.mlp.up_proj", hidden, config.IntermediateSize, config.FeedForwardBias);
        yield return new($"{layer}.mlp.down_proj", config.IntermediateSize, hidden, config.FeedForwardBias);
    }

    static IEnumerable<(string Name, int Width)> ListNorms(DecoderConfig config, string layer)
    {
        if (config.QueryKeyNorm)
        {
            yield return ($"{layer}.self_attn.q_norm", config.HeadDim);
            yield return ($"{layer}.self_attn.k_norm", config.HeadDim);
        }
        yield return ($"{layer}.input_layernorm", config.HiddenSize);
        yield return ($"{layer}.post_attention_layernorm", config.HiddenSize);
        if (!config.NormsAfterBlocks)
        {
            yield break;
        }

        yield return ($"{layer}.pre_feedforward_layernorm", config.HiddenSize);
        yield return ($"{layer}.post_feedforward_layernorm", config.HiddenSize);
    }

    /// <summary>Every weight the decoder needs.</summary>
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

    /// <summary>
    /// Our name for a checkpoint's tensor; null for one that belongs to another part of the model or that we compute
    /// ourselves.
    /// </summary>
    public static string? ToCanonicalName(string name)
    {
        if (
            name.StartsWith("vision_tower.", StringComparison.Ordinal)
            || name.StartsWith("multi_modal_projector.", StringComparison.Ordinal)
            || name.StartsWith("model.vision_tower.", StringComparison.Ordinal)
            || name.StartsWith("model.multi_modal_projector.", StringComparison.Ordinal)
            || name.EndsWith(".rotary_emb.inv_freq", StringComparison.Ordinal)
        )
        {
            return null;
        }

        if (name.StartsWith("model.language_model.", StringComparison.Ordinal))
        {
            return "model." + name["model.language_model.".Length..];
        }

        return name.StartsWith("language_model.", StringComparison.Ordinal) ? name["language_model.".Length..] : name;
    }
}

/// <summary>A linear layer of a decoder, as adapters see it.</summary>
/// <param name="Name">Full name, for example <c>model.layers.0.self_attn.q_proj</c>.</param>
/// <param name="Inputs">Width of its input.</param>
/// <param name="Outputs">Width of its output.</param>
/// <param name="HasBias">Whether it adds a bias.</param>
public sealed record LinearLayer(string Name, int Inputs, int Outputs, bool HasBias)
{
    /// <summary>Last part of the name, for example <c>q_proj</c>.</summary>
    public string ShortName => Name[(Name.LastIndexOf('.') + 1)..];
}
