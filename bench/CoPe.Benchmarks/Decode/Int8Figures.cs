using CoPe.Adapters;
using CoPe.Modeling;
using CoPe.Scoring;
using CoPe.Tokens;
using static TorchSharp.torch;

namespace CoPe.Benchmarks.Decode;

/// <summary>
/// What rounding a model's weights to int8 does to the log-probabilities of a real text, against the same weights in
/// bf16 and in float32.
/// </summary>
sealed class Int8Figures(string folder, string text, int tokens)
{
    const int Window = 256;

    /// <summary>All figures, over windows of 256 tokens, the first of which is given.</summary>
    public IEnumerable<(string Name, double Value)> All()
    {
        var items = Items();
        using var rounded = CausalLm.LoadQuantized(folder, QuantizedDtype.Int8);
        using var bf16 = CausalLm.Load(folder, ScalarType.BFloat16);
        using var wide = CausalLm.Load(folder, ScalarType.Float32);
        var (of8, of16, of32) = (Scores(rounded, items), Scores(bf16, items), Scores(wide, items));
        yield return ("tokens", of8.Length);
        yield return (
            "int8_mb",
            (double)rounded.Weights.Quantized.Values.Sum(weights => weights.ByteCount) / (1 << 20)
        );
        yield return ("nats_per_token_fp32", -of32.Average());
        yield return ("nats_per_token_bf16", -of16.Average());
        yield return ("nats_per_token_int8", -of8.Average());
        foreach (
            var (name, one, other) in new[] { ("int8", of8, of16), ("bf16_fp32", of16, of32), ("int8_fp32", of8, of32) }
        )
        {
            var differences = one.Zip(other, (a, b) => (double)Math.Abs(a - b)).Order().ToArray();
            yield return ($"{name}_logprob_mean", differences.Average());
            yield return ($"{name}_logprob_95th", differences[(int)(0.95 * differences.Length)]);
            yield return ($"{name}_logprob_largest", differences[^1]);
        }
    }

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
