using System.Text.Json.Nodes;
using CoPe.Modeling.Safetensors;
using static TorchSharp.torch;

namespace CoPe.Tests.Modeling;

/// <summary>
/// The decoder's definition once more, in plain float64 loops and with its own reading of config.json, so that a mistake in the library's reading or passes shows as a difference.
/// No cache, no batch, no tensors but to read the file.
/// </summary>
sealed class NaiveDecoder
{
    readonly NaiveConfig config;
    readonly Dictionary<string, double[]> weights = new(StringComparer.Ordinal);

    public NaiveDecoder(string folder)
    {
        config = new NaiveConfig(JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "config.json")))!.AsObject());
        foreach (var path in Directory.GetFiles(folder, "*.safetensors"))
        {
            using var file = SafetensorsFile.Open(path);
            foreach (var entry in file.Entries)
            {
                using var tensor = file.Read(entry.Name);
                using var wide = tensor.to(ScalarType.Float64).flatten();
                weights[entry.Name] = wide.data<double>().ToArray();
            }
        }
    }

    /// <summary>Logits <c>[seq, vocab]</c> of one row; a column that the mask hides is seen by nobody.</summary>
    public double[][] Logits(long[] ids, long[]? positions = null, bool[]? mask = null)
    {
        positions ??= [.. ids.Select((_, i) => (long)i)];
        mask ??= [.. ids.Select(_ => true)];
        var scale = config.Gemma ? Math.Sqrt(config.Hidden) : 1;
        var stream = ids.Select(id => Row("model.embed_tokens.weight", (int)id, config.Hidden).Select(x => x * scale).ToArray()).ToArray();
        for (var layer = 0; layer < config.Layers; layer++) Layer(layer, stream, positions, mask);
        var head = config.Tied ? "model.embed_tokens" : "lm_head";
        return [.. stream.Select(x => Product(head, Norm("model.norm", x), config.Vocab))];
    }

    void Layer(int index, double[][] stream, long[] positions, bool[] mask)
    {
        var name = $"model.layers.{index}.";
        var mixed = Attention(index, [.. stream.Select(x => Norm(name + "input_layernorm", x))], positions, mask);
        for (var i = 0; i < stream.Length; i++)
        {
            Add(stream[i], config.Gemma ? Norm(name + "post_attention_layernorm", mixed[i]) : mixed[i]);
            var x = Norm(name + (config.Gemma ? "pre_feedforward_layernorm" : "post_attention_layernorm"), stream[i]);
            var gate = Product(name + "mlp.gate_proj", x, config.Intermediate);
            var up = Product(name + "mlp.up_proj", x, config.Intermediate);
            var down = Product(name + "mlp.down_proj", [.. gate.Zip(up, (g, u) => Activate(g) * u)], config.Hidden);
            Add(stream[i], config.Gemma ? Norm(name + "post_feedforward_layernorm", down) : down);
        }
    }

    double[][] Attention(int index, double[][] inputs, long[] positions, bool[] mask)
    {
        var name = $"model.layers.{index}.self_attn.";
        var queries = Heads("q", config.QueryHeads, true);
        var keys = Heads("k", config.KeyHeads, true);
        var values = Heads("v", config.KeyHeads, false);
        return [.. inputs.Select((_, i) => Product(name + "o_proj", [.. Enumerable.Range(0, config.QueryHeads).SelectMany(head => Mix(i, head))], config.Hidden))];

        double[][][] Heads(string kind, int count, bool turned) => [.. inputs.Select((x, i) => Product($"{name}{kind}_proj", x, count * config.HeadDim).Chunk(config.HeadDim)
            .Select(head => !turned ? head : Turn(config.NormsHeads ? Norm($"{name}{kind}_norm", head) : head, positions[i], config.Frequencies(index))).ToArray())];

        double[] Mix(int i, int head)
        {
            var shared = head / (config.QueryHeads / config.KeyHeads);
            var seen = Enumerable.Range(0, i + 1).Where(j => mask[j] && (config.Window(index) is not { } window || i - j < window)).ToList();
            var scores = seen.Select(j => queries[i][head].Zip(keys[j][shared], (q, k) => q * k).Sum() / Math.Sqrt(config.ScoreDivisor)).ToList();
            var mixed = new double[config.HeadDim];
            if (seen.Count == 0) return mixed; // a pad position, whose value nobody asks for
            var most = scores.Max();
            var parts = scores.Select(score => Math.Exp(score - most)).ToList();
            for (var n = 0; n < seen.Count; n++)
                for (var d = 0; d < mixed.Length; d++) mixed[d] += parts[n] / parts.Sum() * values[seen[n]][shared][d];
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

    double Activate(double x) => config.GeluTanh ? 0.5 * x * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x))) : x / (1 + Math.Exp(-x));

    double[] Norm(string name, double[] x)
    {
        var root = Math.Sqrt(x.Sum(v => v * v) / x.Length + config.Epsilon);
        var weight = weights[name + ".weight"];
        return [.. x.Select((v, i) => v / root * (config.Gemma ? 1 + weight[i] : weight[i]))];
    }

    double[] Product(string name, double[] x, int outputs)
    {
        var (weight, bias) = (weights[name + ".weight"], weights.GetValueOrDefault(name + ".bias"));
        Assert.Equal(outputs * x.Length, weight.Length);
        var y = new double[outputs];
        for (var o = 0; o < outputs; o++)
        {
            var sum = bias?[o] ?? 0;
            for (var i = 0; i < x.Length; i++) sum += weight[o * x.Length + i] * x[i];
            y[o] = sum;
        }
        return y;
    }

    double[] Row(string name, int row, int width) => weights[name][(row * width)..((row + 1) * width)];

    static void Add(double[] to, double[] what)
    {
        for (var i = 0; i < to.Length; i++) to[i] += what[i];
    }
}
