using System.Text.Json;
using CoPe.Adapters;
using CoPe.Scoring;
using CoPe.Testing;

namespace CoPe.Tests.Scoring;

[Collection("torch")]
public class SequenceScorerTests(ITestOutputHelper output)
{
    static ScoringItem[] RandomItems(int count, int seed)
    {
        var random = new Random(seed);
        int[] Ids(int least) => [.. Enumerable.Range(0, random.Next(least, 25)).Select(_ => random.Next(3, 512))];
        return
        [
            .. Enumerable
                .Range(0, count)
                .Select(i => new ScoringItem(
                    $"i{i}",
                    Ids(1),
                    [.. Enumerable.Range(0, random.Next(1, 5)).Select(_ => Ids(0))],
                    [AdapterSelection.TaskAndUser(random.Next(2)), AdapterSelection.Task, AdapterSelection.Base]
                )),
        ];
    }

    [Theory]
    [InlineData(true, 4096)]
    [InlineData(false, 4096)]
    [InlineData(true, 50)]
    public void A_response_scores_the_same_alone_and_beside_others(bool sharePrompts, int tokensPerPass)
    {
        using var policies = GoldenModel.Llama();
        var items = RandomItems(9, 1);
        var together = policies
            .Scorer(new ScoringOptions { SharePrompts = sharePrompts, TokensPerPass = tokensPerPass })
            .Scores(items);
        var alone = items
            .SelectMany(item =>
                item.Adapters.SelectMany(policy =>
                    item.Responses.SelectMany(response =>
                        policies.Scorer().Scores([new ScoringItem(item.Id, item.Prompt, [response], [policy])])
                    )
                )
            )
            .ToList();
        Assert.Equal(alone.Count, together.Count);
        foreach (var (one, other) in alone.Zip(together))
        {
            Assert.Equal(one.ItemId, other.ItemId);
            Assert.Equal(one.LogProbs.Count, other.LogProbs.Count);
            foreach (var (a, b) in one.LogProbs.Zip(other.LogProbs))
            {
                Assert.Equal(a, b, 1e-4f);
            }
        }
    }

    [Fact]
    public void The_most_likely_tokens_are_returned_best_first_with_the_probability_a_response_of_them_has()
    {
        using var policies = GoldenModel.Llama();
        var item = new ScoringItem(
            "i",
            [1, 7, 9],
            [
                [5, 8],
                [11],
            ],
            [AdapterSelection.TaskAndUser(1), AdapterSelection.Base]
        );
        foreach (var scored in policies.Scorer(new ScoringOptions { Alternatives = 3 }).Scores([item]))
        {
            Assert.Equal(scored.LogProbs.Count, scored.Alternatives.Count);
            Assert.All(
                scored.Alternatives,
                best =>
                    Assert.True(
                        best.Count == 3 && best[0].LogProb >= best[1].LogProb && best[1].LogProb >= best[2].LogProb
                    )
            );
            var chosen = scored.Alternatives[0][0];
            var alone = policies
                .Scorer()
                .Scores([
                    item with
                    {
                        Responses =
                        [
                            [chosen.Id],
                        ],
                        Adapters = [item.Adapters[scored.Selection]],
                    },
                ]);
            Assert.Equal(alone[0].LogProbs[0], chosen.LogProb, 1e-4f);
        }

        Assert.All(policies.Scorer().Scores([item]), scored => Assert.Empty(scored.Alternatives));
    }

    [Fact]
    public void Sums_and_means_are_of_the_tokens()
    {
        var scored = new ScoredResponse("i", 0, 0, [-1, -2, -3]);
        Assert.Equal(-6, scored.Sum);
        Assert.Equal(-2, scored.Mean);
        Assert.Equal(0, new ScoredResponse("i", 0, 0, []).Mean);
    }

    [Fact]
    public void Likelihoods_of_prompt_and_response_are_the_references()
    {
        foreach (var path in GoldenFolders.Entries("scores", "*.json"))
        {
            var root = Path.GetFullPath(Path.Combine(path, "..", ".."));
            var cases = JsonDocument.Parse(File.ReadAllBytes(path)).RootElement.GetProperty("cases").EnumerateArray();
            foreach (
                var model in cases
                    .GroupBy(golden => golden.GetProperty("model").GetString()!)
                    .Where(group => Directory.Exists(Path.Combine(root, "models", group.Key)))
            )
            {
                using var policies = GoldenModel.Open(root, model.Key);
                foreach (var golden in model)
                {
                    AssertCase(policies, golden);
                }

                output.WriteLine($"{path}: {model.Key}, {model.Count()} cases");
            }
        }
    }

    [Fact]
    public void Items_that_cannot_be_scored_say_why()
    {
        using var policies = GoldenModel.Llama();
        string Refusal(ScoringItem item) =>
            Assert.Throws<ArgumentException>(() => policies.Scorer().Scores([item])).Message;
        var item = new ScoringItem(
            "u1/p2",
            [5],
            [
                [6],
            ],
            [AdapterSelection.Base]
        );
        Assert.Contains("'u1/p2'", Refusal(item with { Prompt = [] }), StringComparison.Ordinal);
        Assert.Contains(
            "context",
            Refusal(item with { Responses = [new int[policies.Model.Config.MaxPositions]] }),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "user adapter 7",
            Refusal(item with { Adapters = [AdapterSelection.TaskAndUser(7)] }),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Scoring_leaves_nothing_behind()
    {
        using var policies = GoldenModel.Llama();
        var before = TensorCount.AfterGarbageCollection();
        policies.Scorer().Scores(RandomItems(4, 2));
        Assert.Equal(before, Tensor.TotalCount);
    }

    // The reference takes the mean over all targets, the prompt's included, but for those equal to the pad id.
    static void AssertCase(GoldenModel policies, JsonElement golden)
    {
        var pad = golden.GetProperty("pad_token_id").GetInt32();
        var texts = golden.GetProperty("full_inputs").EnumerateArray().Select(GoldenModel.Ids).ToList();
        var items = texts.Select(
            (text, i) => new ScoringItem($"{i}", [text[0]], [text[1..]], [GoldenModel.Expert, AdapterSelection.Task])
        );
        var scored = policies.Scorer().Scores(items);
        foreach (var result in scored)
        {
            var targets = texts[int.Parse(result.ItemId, System.Globalization.CultureInfo.InvariantCulture)][1..];
            var mean = result.LogProbs.Where((_, t) => targets[t] != pad).Average();
            var expected = golden
                .GetProperty(result.Selection == 0 ? "OPPU_scores" : "base_scores")[
                    int.Parse(result.ItemId, System.Globalization.CultureInfo.InvariantCulture)
                ]
                .GetDouble();
            Assert.Equal(expected, mean, 2e-5 * Math.Abs(expected));
        }
    }
}
