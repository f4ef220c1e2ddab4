using System.Text.Json.Nodes;

namespace CoPe.Tests.Modeling;

/// <summary>
/// config.json read for <see cref="NaiveDecoder"/>, apart from the library's own reading: transformers' definitions,
/// written down again family by family.
/// </summary>
sealed class NaiveConfig
{
    readonly JsonObject _json;
    readonly bool _rootIsTied;
    readonly string _family;

    public NaiveConfig(JsonObject root)
    {
        var isWrapped = root["text_config"] is JsonObject;
        _json = isWrapped ? root["text_config"]!.AsObject() : root;
        _rootIsTied = isWrapped && (bool?)root["tie_word_embeddings"] == true;
        _family =
            (string?)_json["model_type"] ?? ((string)root["model_type"]! == "mistral3" ? "mistral" : "gemma3_text");
    }

    public bool Gemma => _family is "gemma2" or "gemma3_text";

    public int Vocab => Whole("vocab_size")!.Value;

    public int Hidden => Whole("hidden_size")!.Value;

    public int Intermediate => Whole("intermediate_size")!.Value;

    public int Layers => Whole("num_hidden_layers")!.Value;

    public int QueryHeads => Whole("num_attention_heads")!.Value;

    public int KeyHeads => Whole("num_key_value_heads") ?? QueryHeads;

    public int HeadDim =>
        Whole("head_dim")
        ?? (
            _family is "ministral3" or "glm4" or "qwen3" ? 128
            : Gemma ? 256
            : Hidden / QueryHeads
        );

    public double Epsilon =>
        Number("rms_norm_eps") ?? (_family is "phi3" or "olmo2" or "olmo3" or "exaone4" or "ministral3" ? 1e-5 : 1e-6);

    /// <summary>"head": each head by itself; "all": all heads at once; "": no norms of queries and keys.</summary>
    public string HeadNorms =>
        _family switch
        {
            "qwen3" or "gemma3_text" or "exaone4" => "head",
            "olmo2" or "olmo3" => "all",
            _ => "",
        };

    /// <summary>Norms before and after attention, before and after the feed-forward block; "" for none.</summary>
    public string[] Norms =>
        _family switch
        {
            "olmo2" or "olmo3" or "exaone4" => ["", "post_attention_layernorm", "", "post_feedforward_layernorm"],
            "gemma2" or "gemma3_text" =>
            [
                "input_layernorm",
                "post_attention_layernorm",
                "pre_feedforward_layernorm",
                "post_feedforward_layernorm",
            ],
            "glm4" => ["input_layernorm", "post_self_attn_layernorm", "post_attention_layernorm", "post_mlp_layernorm"],
            _ => ["input_layernorm", "", "post_attention_layernorm", ""],
        };

    public string Activation =>
        (string?)_json[Gemma ? "hidden_activation" : "hidden_act"] ?? (Gemma ? "gelu_new" : "silu");

    public bool Tied => (bool?)_json["tie_word_embeddings"] ?? (_rootIsTied || Gemma || _family == "smollm3");

    public double EmbeddingScale => Gemma ? Math.Sqrt(Hidden) : Number("embedding_multiplier") ?? 1;

    public double BranchScale => Number("residual_multiplier") ?? 1;

    public double LogitDivisor => Number("logits_scaling") ?? 1;

    public double? LogitCap => Number("final_logit_softcapping") ?? Default("final_logit_softcapping", 30);

    public double? ScoreCap => Number("attn_logit_softcapping") ?? Default("attn_logit_softcapping", 50);

    double? Default(string key, double cap) => _family == "gemma2" && !_json.ContainsKey(key) ? cap : null;

    public double ScoreFactor =>
        _family == "granite" ? Number("attention_multiplier") ?? 1
        : Gemma ? 1 / Math.Sqrt(Number("query_pre_attn_scalar") ?? 256)
        : 1 / Math.Sqrt(HeadDim);

    /// <summary>How far a layer sees; null: to the beginning.</summary>
    public int? Window(int layer)
    {
        var window = Whole("sliding_window");
        var slides = _family switch
        {
            "mistral" or "ministral3" or "phi3" => true,
            "gemma2" => IsSliding(layer, layer % 2 == 0),
            "gemma3_text" => IsSliding(layer, (layer + 1) % (Whole("sliding_window_pattern") ?? 6) != 0),
            "olmo3" => IsSliding(layer, (layer + 1) % 4 != 0),
            "exaone4" => IsSliding(layer, (layer + 1) % (Whole("sliding_window_pattern") ?? 4) != 0),
            "smollm3" => UsesWindow && IsSliding(layer, !HasRope(layer)),
            "qwen2" or "qwen3" => UsesWindow && IsSliding(layer, layer >= Whole("max_window_layers")),
            _ => false,
        };
        return slides ? window : null;
    }

    bool UsesWindow => (bool?)_json["use_sliding_window"] == true;

    bool IsSliding(int layer, bool otherwise) =>
        _json["layer_types"] is JsonArray types ? (string)types[layer]! == "sliding_attention" : otherwise;

    /// <summary>Whether a layer rotates queries and keys.</summary>
    public bool HasRope(int layer) =>
        _family switch
        {
            "smollm3" => _json["no_rope_layers"] is JsonArray listed
                ? (int)listed[layer]! == 1
                : (layer + 1) % (Whole("no_rope_layer_interval") ?? 4) != 0,
            "exaone4" => Whole("sliding_window") is null || Window(layer) is not null,
            _ => true,
        };

    public bool InterleavesPlanes => _family == "glm4";

    /// <summary>The rotary embedding of a layer in a text of so many positions.</summary>
    public NaiveRope Rope(int layer, long length)
    {
        var (scaling, theta) = ReadRope(isLocal: Window(layer) is not null);
        var share = (double?)scaling?["partial_rotary_factor"] ?? Number("partial_rotary_factor");
        var width = (int)(HeadDim * (share ?? (_family == "glm4" ? 0.5 : 1)));
        var context = (Max: Whole("max_position_embeddings"), Original: Number("original_max_position_embeddings"));
        return new NaiveRope(scaling, theta, width, length, context);
    }

    (JsonObject? Scaling, double Theta) ReadRope(bool isLocal)
    {
        var parameters = _json["rope_parameters"] as JsonObject;
        if (parameters is not null && parameters.ContainsKey("full_attention"))
        {
            parameters = parameters[isLocal ? "sliding_attention" : "full_attention"]!.AsObject();
        }

        // The scaling takes the place of the parameters.
        var scaling = _json["rope_scaling"] as JsonObject ?? parameters;
        var theta =
            (double?)scaling?["rope_theta"]
            ?? Number("rope_theta")
            ?? _family switch
            {
                "gemma3_text" or "ministral3" => 1e6,
                "smollm3" => 2e6,
                _ => 1e4,
            };
        if (isLocal && _family == "gemma3_text" && parameters is null)
        {
            return (null, Number("rope_local_base_freq") ?? 1e4);
        }

        return isLocal && _family == "olmo3" ? (null, theta) : (scaling, theta);
    }

    int? Whole(string key) => (int?)_json[key];

    double? Number(string key) => (double?)_json[key];
}

/// <summary>Angles and factors of one layer's rotary embedding.</summary>
/// <param name="scaling">The object with the scaling; null for none.</param>
/// <param name="theta">Base of the frequencies.</param>
/// <param name="width">How many coordinates of a head rotate.</param>
/// <param name="length">Positions of the text.</param>
/// <param name="context">What stands beside the object.</param>
sealed class NaiveRope(JsonObject? scaling, double theta, int width, long length, (int? Max, double? Original) context)
{
    public int Width => width;

    string Type =>
        ((string?)scaling?["rope_type"] ?? (string?)scaling?["type"]) switch
        {
            null => "default",
            "su" => "longrope",
            var type => type,
        };

    double Original => context.Original ?? (double?)scaling?["original_max_position_embeddings"] ?? context.Max!.Value;

    double Factor => (double?)scaling?["factor"] ?? context.Max!.Value / Original;

    /// <summary>Cosines and sines are multiplied by this.</summary>
    public double Strength =>
        (Type, (double?)scaling?["attention_factor"]) switch
        {
            (_, { } given) => given,
            ("yarn", _) => YarnStrength(),
            ("longrope", _) => Factor <= 1 ? 1 : Math.Sqrt(1 + Math.Log(Factor) / Math.Log(Original)),
            _ => 1,
        };

    double YarnStrength()
    {
        double Of(double m) => Factor <= 1 ? 1 : 0.1 * m * Math.Log(Factor) + 1;
        return (double?)scaling!["mscale"] is { } one && (double?)scaling["mscale_all_dim"] is { } all
            ? Of(one) / Of(all)
            : Of(1);
    }

    /// <summary>Queries are multiplied by this beside.</summary>
    public double QueryStrength(long position) =>
        (double?)scaling?["llama_4_scaling_beta"] is { } beta
            ? 1 + beta * Math.Log(1 + Math.Floor(position / Original))
            : 1;

    /// <summary>Angle per position of each plane.</summary>
    public double[] Frequencies() =>
        [.. Enumerable.Range(0, width / 2).Select(i => Scale(Math.Pow(theta, -2.0 * i / width), i))];

    double Scale(double frequency, int plane)
    {
        double Of(string key) => (double)scaling![key]!;
        switch (Type)
        {
            case "linear":
                return frequency / Factor;
            case "llama3":
                var wave = 2 * Math.PI / frequency;
                var (low, high) = (Of("low_freq_factor"), Of("high_freq_factor"));
                var smooth = Math.Clamp((Original / wave - low) / (high - low), 0, 1);
                return (1 - smooth) * frequency / Factor + smooth * frequency;
            case "yarn":
                var ramp = Ramp(plane);
                return frequency / Factor * ramp + frequency * (1 - ramp);
            case "longrope":
                var divisors = scaling![length > Original ? "long_factor" : "short_factor"]!.AsArray();
                return frequency / (double)divisors[plane]!;
            default:
                return frequency;
        }
    }

    double Ramp(int plane)
    {
        double PlaneOf(double turns) => width * Math.Log(Original / (turns * 2 * Math.PI)) / (2 * Math.Log(theta));
        var (from, to) = (PlaneOf((double?)scaling!["beta_fast"] ?? 32), PlaneOf((double?)scaling["beta_slow"] ?? 1));
        if ((bool?)scaling["truncate"] != false)
        {
            (from, to) = (Math.Floor(from), Math.Ceiling(to));
        }

        (from, to) = (Math.Max(from, 0), Math.Min(to, width - 1));
        return Math.Clamp((plane - from) / (from == to ? 0.001 : to - from), 0, 1);
    }
}
