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
                _weights[NameInDecoder(entry.Name)] = wide.data<double>().ToArray();
            }
        }
    }

    /// <summary>Logits <c>[seq, vocab]</c> of one row; a column that the mask hides is seen by nobody.</summary>
    public double[][] Logits(long[] ids, long[]? positions = null, bool[]? mask = null)
    {
        positions ??= [.. ids.Select((_, i) => (long)i)];
        mask ??= [.. ids.Select(_ => true)];
        var stream = ids.Select(id => Row("model.embed_tokens.weight", (int)id, _config.Hidden))
            .Select(row => row.Select(x => x * _config.EmbeddingScale).ToArray())
            .ToArray();
        for (var layer = 0; layer < _config.Layers; layer++)
        {
            Layer(layer, stream, positions, mask);
        }

        var head = _config.Tied ? "model.embed_tokens" : "lm_head";
        return
        [
            .. stream.Select(x =>
                Product(head, Norm("model.norm", x), _config.Vocab)
                    .Select(y => Cap(y / _config.LogitDivisor, _config.LogitCap))
                    .ToArray()
            ),
        ];
    }

    static string NameInDecoder(string name) =>
        name.StartsWith("language_model.", StringComparison.Ordinal) ? name["language_model.".Length..] : name;

    static double Cap(double x, double? cap) => cap is { } most ? most * Math.Tanh(x / most) : x;

    void Layer(int index, double[][] stream, long[] positions, bool[] mask)
    {
        var name = $"model.layers.{index}.";
        double[] Normed(int norm, double[] x) => _config.Norms[norm] == "" ? x : Norm(name + _config.Norms[norm], x);

        var mixed = Attention(index, [.. stream.Select(x => Normed(0, x))], positions, mask);
        for (var i = 0; i < stream.Length; i++)
        {
            Add(stream[i], Normed(1, mixed[i]));
            var (gate, up) = GateAndUp(name + "mlp.", Normed(2, stream[i]));
            var down = Product(name + "mlp.down_proj", [.. gate.Zip(up, (g, u) => Activate(g) * u)], _config.Hidden);
            Add(stream[i], Normed(3, down));
        }
    }

    (double[] Gate, double[] Up) GateAndUp(string name, double[] x)
    {
        var width = _config.Intermediate;
        if (!_weights.ContainsKey(name + "gate_up_proj.weight"))
        {
            return (Product(name + "gate_proj", x, width), Product(name + "up_proj", x, width));
        }

        var both = Product(name + "gate_up_proj", x, 2 * width);
        return (both[..width], both[width..]);
    }

    double[][] Attention(int index, double[][] inputs, long[] positions, bool[] mask)
    {
        var name = $"model.layers.{index}.self_attn.";
        var rope = _config.Rope(index, positions.Max() + 1);
        var (frequencies, strength) = (rope.Frequencies(), rope.Strength);
        var queries = Heads("q", _config.QueryHeads);
        var keys = Heads("k", _config.KeyHeads);
        var values = Heads("v", _config.KeyHeads);
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

        double[][][] Heads(string kind, int count) => [.. inputs.Select((x, i) => Split(kind, count, x, positions[i]))];

        double[][] Split(string kind, int count, double[] x, long position)
        {
            var projected = Project(name, kind, x);
            if (kind == "v")
            {
                return [.. projected.Chunk(_config.HeadDim)];
            }

            projected = _config.HeadNorms == "all" ? Norm($"{name}{kind}_norm", projected) : projected;
            var scale = kind == "q" ? rope.QueryStrength(position) : 1;
            return
            [
                .. projected
                    .Chunk(_config.HeadDim)
                    .Select(head => _config.HeadNorms == "head" ? Norm($"{name}{kind}_norm", head) : head)
                    .Select(head => _config.HasRope(index) ? Turn(head, position, frequencies, strength) : head)
                    .Select(head => head.Select(v => v * scale).ToArray()),
            ];
        }

        double[] Mix(int i, int head)
        {
            var shared = head / (_config.QueryHeads / _config.KeyHeads);
            var seen = Enumerable
                .Range(0, i + 1)
                .Where(j => mask[j] && (_config.Window(index) is not { } window || i - j < window))
                .ToList();
            var scores = seen.Select(j => queries[i][head].Zip(keys[j][shared], (q, k) => q * k).Sum())
                .Select(product => Cap(product * _config.ScoreFactor, _config.ScoreCap))
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

    /// <summary>Queries, keys or values, which may be rows of one weight.</summary>
    double[] Project(string name, string kind, double[] x)
    {
        var (queries, keys) = (_config.QueryHeads * _config.HeadDim, _config.KeyHeads * _config.HeadDim);
        if (!_weights.ContainsKey(name + "qkv_proj.weight"))
        {
            return Product($"{name}{kind}_proj", x, kind == "q" ? queries : keys);
        }

        var all = Product(name + "qkv_proj", x, queries + 2 * keys);
        return kind switch
        {
            "q" => all[..queries],
            "k" => all[queries..(queries + keys)],
            _ => all[(queries + keys)..],
        };
    }

    double[] Turn(double[] head, long position, double[] frequencies, double strength)
    {
        var turned = head.ToArray();
        for (var plane = 0; plane < frequencies.Length; plane++)
        {
            var (a, b) = _config.InterleavesPlanes ? (2 * plane, 2 * plane + 1) : (plane, plane + frequencies.Length);
            var (sine, cosine) = Math.SinCos(position * frequencies[plane]);
            turned[a] = strength * (head[a] * cosine - head[b] * sine);
            turned[b] = strength * (head[b] * cosine + head[a] * sine);
        }

        return turned;
    }

    double Activate(double x) =>
        _config.Activation switch
        {
            "silu" or "swish" => x / (1 + Math.Exp(-x)),
            "gelu" => x * NormalProbability(x),
            "relu" => Math.Max(0, x),
            _ => 0.5 * x * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x))),
        };

    /// <summary>Of a standard normal number being below x, by its series.</summary>
    static double NormalProbability(double x)
    {
        if (Math.Abs(x) > 7)
        {
            return x > 0 ? 1 : 0;
        }

        var (term, sum) = (x, x);
        for (var n = 1; n < 200; n++)
        {
            term *= x * x / (2 * n + 1);
            sum += term;
        }

        return 0.5 + sum * Math.Exp(-x * x / 2) / Math.Sqrt(2 * Math.PI);
    }

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

    /// <summary>Onto the residual stream.</summary>
    void Add(double[] to, double[] what)
    {
        for (var i = 0; i < to.Length; i++)
        {
            to[i] += what[i] * _config.BranchScale;
        }
    }
}
