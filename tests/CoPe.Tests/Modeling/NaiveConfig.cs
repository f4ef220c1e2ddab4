using System.Text.Json.Nodes;

namespace CoPe.Tests.Modeling;

/// <summary>config.json read for <see cref="NaiveDecoder"/>, apart from the library's own reading: transformers' definitions, written down again family by family.</summary>
sealed class NaiveConfig(JsonObject json)
{
    readonly string family = (string)json["model_type"]!;

    public bool Gemma => family == "gemma3_text";

    public int Vocab => Whole("vocab_size")!.Value;

    public int Hidden => Whole("hidden_size")!.Value;

    public int Intermediate => Whole("intermediate_size")!.Value;

    public int Layers => Whole("num_hidden_layers")!.Value;

    public int QueryHeads => Whole("num_attention_heads")!.Value;

    public int KeyHeads => Whole("num_key_value_heads") ?? QueryHeads;

    public int HeadDim => Whole("head_dim") ?? Hidden / QueryHeads;

    public double Epsilon => Number("rms_norm_eps") ?? 1e-6;

    public bool NormsHeads => family is "qwen3" or "gemma3_text";

    public bool GeluTanh => Gemma;

    public bool Tied => (bool?)json["tie_word_embeddings"] ?? Gemma;

    public double ScoreDivisor => Gemma ? Number("query_pre_attn_scalar") ?? 256 : HeadDim;

    /// <summary>How far a layer sees; null: to the beginning.</summary>
    public int? Window(int layer) => family switch
    {
        "mistral" => Whole("sliding_window"),
        "gemma3_text" => IsSliding(layer, (layer + 1) % (Whole("sliding_window_pattern") ?? 6) != 0) ? Whole("sliding_window") : null,
        "qwen2" or "qwen3" => (bool?)json["use_sliding_window"] == true && IsSliding(layer, layer >= Whole("max_window_layers")) ? Whole("sliding_window") : null,
        _ => null,
    };

    bool IsSliding(int layer, bool byPattern) => json["layer_types"] is JsonArray types ? (string)types[layer]! == "sliding_attention" : byPattern;

    /// <summary>Angle per position of each plane of a head.</summary>
    public double[] Frequencies(int layer)
    {
        var local = Gemma && Window(layer) is not null;
        var newer = json["rope_parameters"] as JsonObject;
        if (newer is not null && newer.ContainsKey("full_attention")) newer = newer[local ? "sliding_attention" : "full_attention"]!.AsObject();
        var theta = newer is not null ? (double)newer["rope_theta"]! : local ? Number("rope_local_base_freq") ?? 1e4 : Number("rope_theta") ?? (Gemma ? 1e6 : 1e4);
        var scaling = newer ?? (local ? null : json["rope_scaling"] as JsonObject);
        return [.. Enumerable.Range(0, HeadDim / 2).Select(i => Scaled(Math.Pow(theta, -2.0 * i / HeadDim), scaling))];
    }

    static double Scaled(double frequency, JsonObject? scaling)
    {
        double Of(string key) => (double)scaling![key]!;
        switch ((string?)scaling?["rope_type"] ?? (string?)scaling?["type"])
        {
            case "linear": return frequency / Of("factor");
            case "llama3":
                var wave = 2 * Math.PI / frequency;
                var original = Of("original_max_position_embeddings");
                if (wave < original / Of("high_freq_factor")) return frequency;
                if (wave > original / Of("low_freq_factor")) return frequency / Of("factor");
                var smooth = (original / wave - Of("low_freq_factor")) / (Of("high_freq_factor") - Of("low_freq_factor"));
                return (1 - smooth) * frequency / Of("factor") + smooth * frequency;
            default: return frequency;
        }
    }

    int? Whole(string key) => (int?)json[key];

    double? Number(string key) => (double?)json[key];
}
