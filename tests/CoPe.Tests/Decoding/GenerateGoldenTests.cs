using System.Text.Json;
using CoPe.Adapters;
using CoPe.Decoding;
using CoPe.Modeling;
using CoPe.Testing;
using static TorchSharp.torch;

namespace CoPe.Tests.Decoding;

/// <summary>
/// Greedy generate() of Hugging Face on the expert. Our engine knows no padding; where Hugging Face lets padding into
/// the result (its repetition penalty sees it, and a right-padded row continues after a pad token), the case is rebuilt
/// here from the model's pass and the same pure functions.
/// </summary>
[Collection("torch")]
public class GenerateGoldenTests(ITestOutputHelper output)
{
    [Fact]
    public void Rows_that_padding_does_not_touch_come_out_of_the_engine_token_for_token()
    {
        foreach (var (root, golden) in GoldenModel.DecodeFiles())
        {
            using var policies = GoldenModel.Open(root, golden.GetProperty("model").GetString()!);
            var rows = Rows(golden).Where(row => row.Pads == 0 || (row.PaddedLeft && row.Penalty == 1)).ToList();
            foreach (var group in rows.GroupBy(row => row.Eos))
            {
                var requests = group
                    .Select(
                        (row, index) =>
                            new DecodingRequest
                            {
                                Id = $"{index}",
                                Prompt = row.Prompt,
                                Expert = GoldenModel.Expert,
                                Options = new DecodingOptions { RepetitionPenalty = row.Penalty, MaxNewTokens = 30 },
                            }
                    )
                    .ToList();
                foreach (var (row, result) in group.Zip(policies.Engine([group.Key]).InOrder(requests)))
                {
                    Assert.Equal(row.Expected, result.Ids);
                }
            }
            output.WriteLine($"{root}: {golden.GetProperty("model")}, {rows.Count} rows");
        }
    }

    [Fact]
    public void Rows_that_padding_touches_come_out_of_the_same_functions_when_padding_is_modeled()
    {
        foreach (var (root, golden) in GoldenModel.DecodeFiles())
        {
            using var policies = GoldenModel.Open(root, golden.GetProperty("model").GetString()!);
            // A sliding window counts columns in Hugging Face, padding included, and positions here: right-padded rows
            // of such models are left out.
            var slides = policies.Model.Config.SlidingWindow is not null;
            var rows = Rows(golden)
                .Where(row => row.Pads > 0 && (row.PaddedLeft ? row.Penalty != 1 : !slides))
                .ToList();
            foreach (var row in rows)
            {
                Assert.Equal(row.Expected, Generate(policies, row));
            }

            output.WriteLine($"{root}: {golden.GetProperty("model")}, {rows.Count} rows");
        }
    }

    /// <summary>As generate() does it: the whole row again for each token.</summary>
    static List<int> Generate(GoldenModel policies, Row row)
    {
        var answer = new List<int>();
        while (answer.Count < row.Expected.Length)
        {
            using var scope = NewDisposeScope();
            using var batch = row.PaddedLeft
                ? new TokenBatch(tensor(Long([.. row.Prompt, .. answer])).unsqueeze(0))
                : RightPadded(row, answer);
            using var adapters = new AdapterBanks(policies.Task, policies.Users).SelectRows([GoldenModel.Expert]);
            // [1, vocab].
            var logits = policies.Model.ComputeLogits(policies.Model.Forward(batch, adapters).select(1, -1));
            var seen = tensor(Long([.. row.Prompt, row.Pad, .. answer])).unsqueeze(0);
            answer.Add((int)RepetitionPenalty.Apply(logits, seen, row.Penalty).argmax(-1).item<long>());
        }
        return answer;
    }

    /// <summary>
    /// [prompt, one pad, answer]: the first token is read at a pad, which stands at position 1 and sees the prompt but
    /// no pad; the answer's positions go on from the prompt's.
    /// </summary>
    static TokenBatch RightPadded(Row row, List<int> answer)
    {
        var length = row.Prompt.Length;
        long[] positions = [.. Enumerable.Range(0, length), 1, .. Enumerable.Range(length, answer.Count)];
        var visible = ones(length + 1 + answer.Count, length + 1 + answer.Count, ScalarType.Bool).tril();
        visible.select(1, length).fill_(false);
        return new TokenBatch(
            tensor(Long([.. row.Prompt, row.Pad, .. answer])).unsqueeze(0),
            tensor(positions).unsqueeze(0),
            visible.unsqueeze(0)
        );
    }

    static long[] Long(IEnumerable<int> ids) => [.. ids.Select(id => (long)id)];

    static IEnumerable<Row> Rows(JsonElement golden)
    {
        foreach (var run in golden.GetProperty("generate").EnumerateArray())
        {
            for (var i = 0; i < run.GetProperty("input_ids").GetArrayLength(); i++)
            {
                var padded = GoldenModel.Ids(run.GetProperty("input_ids")[i]);
                var mask = GoldenModel.Ids(run.GetProperty("attention_mask")[i]);
                var expected = GoldenModel.Ids(run.GetProperty("new_tokens")[i]);
                var eos = run.GetProperty("eos_token_id").GetInt32();
                var end = Array.IndexOf(expected, eos);
                yield return new Row(
                    [.. padded.Where((_, column) => mask[column] == 1)],
                    mask.Count(seen => seen == 0),
                    run.GetProperty("padding_side").GetString() == "left",
                    run.GetProperty("repetition_penalty").GetDouble(),
                    run.GetProperty("pad_token_id").GetInt32(),
                    eos,
                    end < 0 ? expected : expected[..(end + 1)]
                );
            }
        }
    }

    sealed record Row(int[] Prompt, int Pads, bool PaddedLeft, double Penalty, int Pad, int Eos, int[] Expected);
}
