using CoPe.Gguf;

namespace CoPe.Modeling.Gguf;

/// <summary>Says in a GGUF file's metadata what a decoder is, such that llama.cpp computes the same.</summary>
static class GgufConfigWriter
{
    /// <summary>The architecture that a configuration is written as.</summary>
    /// <exception cref="ModelFileException">llama.cpp would compute something else.</exception>
    public static GgufArchitecture FindArchitecture(string model, DecoderConfig config)
    {
        var architecture =
            GgufArchitecture.All.FirstOrDefault(known => known.ModelTypes.Contains(config.ModelType))
            ?? throw new ModelFileException(
                model,
                "model_type",
                $"{config.ModelType} is not written as GGUF; supported: "
                    + string.Join(", ", GgufArchitecture.All.SelectMany(known => known.ModelTypes))
            );
        if (FindObstacle(architecture, config) is { } obstacle)
        {
            throw new ModelFileException(model, obstacle.Key, $"{obstacle.Problem}, which llama.cpp does not compute");
        }

        return architecture;
    }

    static (string Key, string Problem)? FindObstacle(GgufArchitecture architecture, DecoderConfig config)
    {
        var isGemma = architecture.NormsHoldOne;
        if (config.Activation != architecture.Family.Activation)
        {
            return ("hidden_act", $"is {ActivationNames.GetName(config.Activation)}");
        }

        if (architecture.Name == "qwen2" && config.HeadCount * config.HeadDim != config.HiddenSize)
        {
            return ("head_dim", $"is {config.HeadDim}, not hidden_size / num_attention_heads");
        }

        if (config.Rope.Scaling == RopeScaling.LongRope)
        {
            return ("rope_scaling", "is longrope");
        }

        if (config.LogitSoftCap is not null)
        {
            return ("final_logit_softcapping", "is set");
        }

        if (isGemma && config.SlidingRope is not { Theta: 10000, Scaling: RopeScaling.None })
        {
            return ("rope_local_base_freq", "is not 10000");
        }

        if (isGemma && config.SlidingWindow is null)
        {
            return ("sliding_window", "is missing");
        }

        if (isGemma && Enumerable.Range(0, config.LayerCount).Any(i => config.IsSliding(i) != (i % 6 != 5)))
        {
            return ("layer_types", "are not five sliding layers before each full one");
        }

        var scalar = isGemma && config.LayerCount == 62 ? config.HiddenSize / config.HeadCount : config.HeadDim;
        if (config.QueryScalar is { } found && found != scalar)
        {
            return ("query_pre_attn_scalar", $"is {found}, not {scalar}");
        }

        var slides = Enumerable.Range(0, config.LayerCount).Any(config.IsSliding);
        return !isGemma && slides && config.SlidingWindow < config.MaxPositions
            ? ("sliding_window", $"is {config.SlidingWindow}, less than the context of {config.MaxPositions}")
            : null;
    }

    /// <summary>The keys.</summary>
    public static IEnumerable<KeyValuePair<string, object>> Create(GgufArchitecture architecture, DecoderConfig config)
    {
        KeyValuePair<string, object> Key(string name, object value) => new($"{architecture.Name}.{name}", value);

        yield return Key("vocab_size", (uint)config.VocabSize);
        yield return Key("context_length", (uint)config.MaxPositions);
        yield return Key("embedding_length", (uint)config.HiddenSize);
        yield return Key("block_count", (uint)config.LayerCount);
        yield return Key("feed_forward_length", (uint)config.IntermediateSize);
        yield return Key("attention.head_count", (uint)config.HeadCount);
        yield return Key("attention.head_count_kv", (uint)config.KeyValueHeadCount);
        yield return Key("attention.key_length", (uint)config.HeadDim);
        yield return Key("attention.value_length", (uint)config.HeadDim);
        yield return Key("attention.layer_norm_rms_epsilon", (float)config.NormEpsilon);
        yield return Key("rope.dimension_count", (uint)config.HeadDim);
        yield return Key("rope.freq_base", (float)config.Rope.Theta);
        if (architecture.NormsHoldOne && config.SlidingWindow is { } window)
        {
            yield return Key("attention.sliding_window", (uint)window);
        }

        foreach (var (name, value) in CreateRope(config.Rope))
        {
            yield return Key(name, value);
        }
    }

    static IEnumerable<(string Name, object Value)> CreateRope(RopeConfig rope)
    {
        if (rope.Scaling is not (RopeScaling.Linear or RopeScaling.Yarn))
        {
            yield break;
        }

        yield return ("rope.scaling.type", rope.Scaling == RopeScaling.Yarn ? "yarn" : "linear");
        yield return ("rope.scaling.factor", (float)rope.Factor);
        if (rope.Scaling == RopeScaling.Yarn)
        {
            var computed = 0.1 * Math.Log(Math.Max(1, rope.Factor)) + 1;
            yield return ("rope.scaling.original_context_length", (uint)rope.OriginalMaxPositions);
            yield return ("rope.scaling.attn_factor", (float)(rope.AttentionFactor / computed));
            yield return ("rope.scaling.yarn_beta_fast", (float)rope.BetaFast);
            yield return ("rope.scaling.yarn_beta_slow", (float)rope.BetaSlow);
        }
    }

    /// <summary>The tensor that says Llama 3.1's scaling; null where there is none.</summary>
    public static GgufTensorSource? CreateRotaryFactors(DecoderConfig config)
    {
        if (config.Rope.Scaling != RopeScaling.Llama3)
        {
            return null;
        }

        var factors = RotaryFactors.Compute(config.Rope, config.HeadDim).ToArray();
        return new(
            GgufArchitecture.RotaryFactors,
            GgufType.F32,
            [factors.Length],
            stream => stream.Write(System.Runtime.InteropServices.MemoryMarshal.AsBytes(factors.AsSpan()))
        );
    }
}
