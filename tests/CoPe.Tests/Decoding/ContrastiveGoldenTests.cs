using System.Text.Json;
using CoPe.Adapters;
using CoPe.Decoding;
using CoPe.Testing;

namespace CoPe.Tests.Decoding;

/// <summary>
/// Runs of the reference's contrastive_decoding, greedy, against the engine with all runs of a model in one batch.
/// </summary>
[Collection("torch")]
public class ContrastiveGoldenTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Every_run_of_the_reference_is_matched_token_for_token(bool referenceEpsilon)
    {
        foreach (var (root, golden) in GoldenModel.DecodeFiles())
        {
            var name = golden.GetProperty("model").GetString()!;
            using var policies = GoldenModel.Open(root, name);
            var runs = golden.GetProperty("contrastive").EnumerateArray().ToList();
            foreach (var group in runs.GroupBy(run => run.GetProperty("eos_token_id").GetInt32()))
            {
                var requests = group.Select((run, index) => Request(run, index, referenceEpsilon)).ToList();
                var results = policies.Engine([group.Key]).InOrder(requests);
                foreach (var (run, result) in group.Zip(results))
                {
                    AssertSame(name, run, result.Ids);
                }
            }
            output.WriteLine($"{root}: {name}, {runs.Count} runs");
        }
    }

    static DecodingRequest Request(JsonElement run, int index, bool referenceEpsilon) =>
        new()
        {
            Id = $"{index}",
            Prompt = GoldenModel.Ids(run.GetProperty("prompt")),
            Expert = GoldenModel.Expert,
            Amateur = AdapterSelection.Task,
            Options = new DecodingOptions
            {
                Contrast = run.GetProperty("contrastive_alpha").GetDouble(),
                Plausibility = run.GetProperty("plausability_alpha").GetDouble(),
                RepetitionPenalty = run.GetProperty("repetition_penalty").GetDouble(),
                MaxNewTokens = run.GetProperty("max_length").GetInt32(),
                ReferenceEpsilon = referenceEpsilon,
            },
        };

    static void AssertSame(string model, JsonElement run, IReadOnlyList<int> actual)
    {
        var expected = GoldenModel.Ids(run.GetProperty("tokens"));
        var nearTie = run.GetProperty("first_step_with_margin_below_1e_3");
        var until = nearTie.ValueKind == JsonValueKind.Null ? expected.Length : nearTie.GetInt32();
        Assert.True(
            expected.Take(until).SequenceEqual(actual.Take(until)),
            $"{model}, {run.GetProperty("contrastive_alpha")}/{run.GetProperty("repetition_penalty")}: "
                + $"expected {string.Join(' ', expected)}, found {string.Join(' ', actual)}"
        );
        if (until == expected.Length)
        {
            Assert.Equal(expected.Length, actual.Count);
        }
    }
}
