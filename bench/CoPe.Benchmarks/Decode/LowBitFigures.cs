using CoPe.Adapters;
using CoPe.Modeling;
using CoPe.Scoring;
using CoPe.Tokens;
using static TorchSharp.torch;

namespace CoPe.Benchmarks.Decode;

/// <summary>
/// What rounding a model's weights to int8 and q4 does to the log-probabilities of a real text, against the same
/// weights in bf16 and in float32.
/// </summary>
sealed class LowBitFigures(string folder, string text, int tokens)
{
    const int Window = 256;

    /// <summary>All figures, over windows of 256 tokens, the first of which is given.</summary>
    public IEnumerable<(string Name, double Value)> All()
    {
        var items = Items();
        using var int8 = CausalLm.LoadQuantized(folder, QuantizedDtype.Int8);
        using var q4 = CausalLm.LoadQuantized(folder, QuantizedDtype.Q4);
        using var bf16 = CausalLm.Load(folder, ScalarType.BFloat16);
        using var wide = CausalLm.Load(folder, ScalarType.Float32);
        float[] of8 = Scores(int8, items),
            of4 = Scores(q4, items),
            of16 = Scores(bf16, items),
            of32 = Scores(wide, items);
        yield return ("tokens", of8.Length);
        yield return ("int8_mb", CountMegabytes(int8));
        yield return ("q4_mb", CountMegabytes(q4));
        yield return ("nats_per_token_fp32", -of32.Average());
        yield return ("nats_per_token_bf16", -of16.Average());
        yield return ("nats_per_token_int8", -of8.Average());
        yield return ("nats_per_token_q4", -of4.Average());
        foreach (
            var (name, one, other) in new[]
            {
                ("bf16_fp32", of16, of32),
                ("int8_bf16", of8, of16),
                ("q4_bf16", of4, of16),
            }
        )
        {
            var differences = one.Zip(other, (a, b) => (double)Math.Abs(a - b)).Order().ToArray();
            yield return ($"{name}_logprob_mean", differences.Average());
            yield return ($"{name}_logprob_95th", differences[(int)(0.95 * differences.Length)]);
            yield return ($"{name}_logprob_largest", differences[^1]);
        }
    }

    static double CountMegabytes(CausalLm model) =>
        (double)model.Weights.Quantized.Values.Sum(weights => weights.ByteCount) / (1 << 20);

    List<ScoringItem> Items()
    {
        var ids = Tokenizer
            .Load(folder)
            .EncodeAsText(string.Concat(File.ReadAllText(text).Take(8 * tokens)))
            .Take(tokens)
            .ToArray(); // a token is hardly longer than 8 letters
        return
        [
            .. ids.Chunk(Window)
                .Where(window => window.Length > 1)
                .Select((window, i) => new ScoringItem($"{i}", window[..1], [window[1..]], [AdapterSelection.Base])),
        ];
    }

    static float[] Scores(CausalLm model, IReadOnlyList<ScoringItem> items) =>
        [.. new SequenceScorer(model, null, null).Score(items).SelectMany(scored => scored.LogProbs)];
}
