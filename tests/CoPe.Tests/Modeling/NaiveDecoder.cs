using System.Text.Json.Nodes;
using CoPe.Modeling.Safetensors;
using static TorchSharp.torch;

namespace CoPe.Tests.Modeling;

/// <summary>
/// The decoder's definition once more, in plain float64 loops and with its own reading of config.json, so that a
/// mistake in the library's reading or passes shows as a difference. No cache, no batch, no tensors but to read the
/// file.
/// </summary>
sealed class NaiveDecoder
{
    readonly NaiveConfig _config;
    readonly Dictionary<string, double[]> _weights = new(StringComparer.Ordinal);

    public NaiveDecoder(string folder)
    {
        _config = new NaiveConfig(JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "config.json")))!.AsObject());
        foreach (var path in Directory.GetFiles(folder, "*.safetensors"))
        {
            using var file = SafetensorsFile.Open(path);
            foreach (var entry in file.Entries)
            {
                using var tensor = file.Read(entry.Name);
                using var wide = tensor.to(ScalarType.Float64).flatten();
                _weights[entry.Name] = wide.data<double>().ToArray();
            }
        }
    }

    /// <summary>Logits <c>[seq, vocab]</c> of one row; a column that the mask hides is seen by nobody.</summary>
    public double[][] Logits(long[] ids, long[]? positions = null, bool[]? mask = null)
    {
        positions ??= [.. ids.Select((_, i) => (long)i)];
        mask ??= [.. ids.Select(_ => true)];
        var scale = _config.Gemma ? Math.Sqrt(_config.Hidden) : 1;
        var stream = ids.Select(id =>
                Row("model.embed_tokens.weight", (int)id, _config.Hidden).Select(x => x * scale).ToArray()
            )
            .ToArray();
        for (var layer = 0; layer < _config.Layers; layer++)
        {
            Layer(layer, stream, positions, mask);
        }

        var head = _config.Tied ? "model.embed_tokens" : "lm_head";
        return [.. stream.Select(x => Product(head, Norm("model.norm", x), _config.Vocab))];
    }

    void Layer(int index, double[][] stream, long[] positions, bool[] mask)
    {
        var name = $"model.layers.{index}.";
        var mixed = Attention(index, [.. stream.Select(x => Norm(name + "input_layernorm", x))], positions, mask);
        for (var i = 0; i < stream.Length; i++)
        {
            Add(stream[i], _config.Gemma ? Norm(name + "post_attention_layernorm", mixed[i]) : mixed[i]);
            var x = Norm(name + (_config.Gemma ? "pre_feedforward_layernorm" : "post_attention_layernorm"), stream[i]);
            var gate = Product(name + "mlp.gate_proj", x, _config.Intermediate);
            var up = Product(name + "mlp.up_proj", x, _config.Intermediate);
            var down = Product(name + "mlp.down_proj", [.. gate.Zip(up, (g, u) => Activate(g) * u)], _config.Hidden);
            Add(stream[i], _config.Gemma ? Norm(name + "post_feedforward_layernorm", down) : down);
        }
    }

    double[][] Attention(int index, double[][] inputs, long[] positions, bool[] mask)
    {
        var name = $"model.layers.{index}.self_attn.";
        var queries = Heads("q", _config.QueryHeads, true);
        var keys = Heads("k", _config.KeyHeads, true);
        var values = Heads("v", _config.KeyHeads, false);
        return
        [
            .. inputs.Select(
                (_, i) =>
                    Product(
                        name + "o_proj",
                        [.. Enumerable.Range(0, _config.QueryHeads).SelectMany(head => Mix(i, head))],
                        _config.Hidden
                    )
            ),
        ];

        double[][][] Heads(string kind, int count, bool turned) =>
            [
                .. inputs.Select(
                    (x, i) =>
                        Product($"{name}{kind}_proj", x, count * _config.HeadDim)
                            .Chunk(_config.HeadDim)
                            .Select(head =>
                                !turned
                                    ? head
                                    : Turn(
                                        _config.NormsHeads ? Norm($"{name}{kind}_norm", head) : head,
                                        positions[i],
                                        _config.Frequencies(index)
                                    )
                            )
                            .ToArray()
                ),
            ];

        double[] Mix(int i, int head)
        {
            var shared = head / (_config.QueryHeads / _config.KeyHeads);
            var seen = Enumerable
                .Range(0, i + 1)
                .Where(j => mask[j] && (_config.Window(index) is not { } window || i - j < window))
                .ToList();
            var scores = seen.Select(j =>
                    queries[i][head].Zip(keys[j][shared], (q, k) => q * k).Sum() / Math.Sqrt(_config.ScoreDivisor)
                )
                .ToList();
            var mixed = new double[_config.HeadDim];
            if (seen.Count == 0)
            {
                return mixed; // a pad position, whose value is never used
            }

            var most = scores.Max();
            var parts = scores.Select(score => Math.Exp(score - most)).ToList();
            for (var n = 0; n < seen.Count; n++)
            {
                for (var d = 0; d < mixed.Length; d++)
                {
                    mixed[d] += parts[n] / parts.Sum() * values[seen[n]][shared][d];
                }
            }

            return mixed;
        }
    }

    static double[] Turn(double[] head, long position, double[] frequencies)
    {
        var half = head.Length / 2;
        var turned = new double[head.Length];
        for (var i = 0; i < half; i++)
        {
            var (sine, cosine) = Math.SinCos(position * frequencies[i]);
            turned[i] = head[i] * cosine - head[i + half] * sine;
            turned[i + half] = head[i + half] * cosine + head[i] * sine;
        }
        return turned;
    }

    double Activate(double x) =>
        _config.GeluTanh
            ? 0.5 * x * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)))
            : x / (1 + Math.Exp(-x));

    double[] Norm(string name, double[] x)
    {
        var root = Math.Sqrt(x.Sum(v => v * v) / x.Length + _config.Epsilon);
        var weight = _weights[name + ".weight"];
        return [.. x.Select((v, i) => v / root * (_config.Gemma ? 1 + weight[i] : weight[i]))];
    }

    double[] Product(string name, double[] x, int outputs)
    {
        var (weight, bias) = (_weights[name + ".weight"], _weights.GetValueOrDefault(name + ".bias"));
        Assert.Equal(outputs * x.Length, weight.Length);
        var y = new double[outputs];
        for (var o = 0; o < outputs; o++)
        {
            var sum = bias?[o] ?? 0;
            for (var i = 0; i < x.Length; i++)
            {
                sum += weight[o * x.Length + i] * x[i];
            }

            y[o] = sum;
        }
        return y;
    }

    double[] Row(string name, int row, int width) => _weights[name][(row * width)..((row + 1) * width)];

    static void Add(double[] to, double[] what)
    {
        for (var i = 0; i < to.Length; i++)
        {
            to[i] += what[i];
        }
    }
}

/// <summary>
/// config.json read for <see cref="NaiveDecoder"/>, apart from the library's own reading: transformers' definitions,
/// written down again family by family.
/// </summary>
sealed class NaiveConfig(JsonObject json)
{
    readonly string _family = (string)json["model_type"]!;

    /// <summary>Whether it is written down here what a file says.</summary>
    public static bool Knows(string file)
    {
        var json = JsonNode.Parse(File.ReadAllText(file))!;
        return (string)json["model_type"]! is "llama" or "mistral" or "qwen2" or "qwen3" or "gemma3_text"
            && (string?)json["rope_scaling"]?["rope_type"] != "yarn";
    }

    public bool Gemma => _family == "gemma3_text";

    public int Vocab => Whole("vocab_size")!.Value;

    public int Hidden => Whole("hidden_size")!.Value;

    public int Intermediate => Whole("intermediate_size")!.Value;

    public int Layers => Whole("num_hidden_layers")!.Value;

    public int QueryHeads => Whole("num_attention_heads")!.Value;

    public int KeyHeads => Whole("num_key_value_heads") ?? QueryHeads;

    public int HeadDim => Whole("head_dim") ?? Hidden / QueryHeads;

    public double Epsilon => Number("rms_norm_eps") ?? 1e-6;

    public bool NormsHeads => _family is "qwen3" or "gemma3_text";

    public bool GeluTanh => Gemma;

    public bool Tied => (bool?)json["tie_word_embeddings"] ?? Gemma;

    public double ScoreDivisor => Gemma ? Number("query_pre_attn_scalar") ?? 256 : HeadDim;

    /// <summary>How far a layer sees; null: to the beginning.</summary>
    public int? Window(int layer) =>
        _family switch
        {
            "mistral" => Whole("sliding_window"),
            "gemma3_text" => IsSliding(layer, (layer + 1) % (Whole("sliding_window_pattern") ?? 6) != 0)
                ? Whole("sliding_window")
                : null,
            "qwen2" or "qwen3" => (bool?)json["use_sliding_window"] == true
            && IsSliding(layer, layer >= Whole("max_window_layers"))
                ? Whole("sliding_window")
                : null,
            _ => null,
        };

    bool IsSliding(int layer, bool byPattern) =>
        json["layer_types"] is JsonArray types ? (string)types[layer]! == "sliding_attention" : byPattern;

    /// <summary>Angle per position of each plane of a head.</summary>
    public double[] Frequencies(int layer)
    {
        var local = Gemma && Window(layer) is not null;
        var newer = json["rope_parameters"] as JsonObject;
        if (newer is not null && newer.ContainsKey("full_attention"))
        {
            newer = newer[local ? "sliding_attention" : "full_attention"]!.AsObject();
        }

        var theta =
            newer is not null ? (double)newer["rope_theta"]!
            : local ? Number("rope_local_base_freq") ?? 1e4
            : Number("rope_theta") ?? (Gemma ? 1e6 : 1e4);
        var scaling = newer ?? (local ? null : json["rope_scaling"] as JsonObject);
        return [.. Enumerable.Range(0, HeadDim / 2).Select(i => Scaled(Math.Pow(theta, -2.0 * i / HeadDim), scaling))];
    }

    static double Scaled(double frequency, JsonObject? scaling)
    {
        double Of(string key) => (double)scaling![key]!;
        switch ((string?)scaling?["rope_type"] ?? (string?)scaling?["type"])
        {
            case "linear":
                return frequency / Of("factor");
            case "llama3":
                var wave = 2 * Math.PI / frequency;
                var original = Of("original_max_position_embeddings");
                if (wave < original / Of("high_freq_factor"))
                {
                    return frequency;
                }

                if (wave > original / Of("low_freq_factor"))
                {
                    return frequency / Of("factor");
                }

                var smooth =
                    (original / wave - Of("low_freq_factor")) / (Of("high_freq_factor") - Of("low_freq_factor"));
                return (1 - smooth) * frequency / Of("factor") + smooth * frequency;
            default:
                return frequency;
        }
    }

    int? Whole(string key) => (int?)json[key];

    double? Number(string key) => (double?)json[key];
}
