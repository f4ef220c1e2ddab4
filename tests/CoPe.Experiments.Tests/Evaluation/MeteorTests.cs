using System.Text.Json;
using CoPe.Experiments.Evaluation;
using CoPe.Experiments.Evaluation.Language;

namespace CoPe.Experiments.Tests.Evaluation;

public class MeteorTests(ITestOutputHelper output)
{
    [Fact]
    public void Every_golden_pair_scores_as_nltk()
    {
        foreach (var (file, root, pairs) in GoldenPairs.All())
        {
            var ours = pairs.Select(pair => Meteor.Score(pair.Text("prediction"), pair.Text("reference"))).ToArray();
            var differing = pairs
                .Zip(ours)
                .Where(pair => Math.Abs(pair.First.GetProperty("meteor").GetDouble() - pair.Second) > 1e-6)
                .ToList();
            var several = pairs.Count(HasSeveralSentences);
            foreach (var (pair, score) in differing)
            {
                output.WriteLine($"{pair.Name()}: NLTK {pair.GetProperty("meteor")}, here {score}");
            }

            output.WriteLine(
                $"{file}: {pairs.Length} pairs, {several} of several sentences, "
                    + $"{differing.Count} differ by more than 1e-6"
            );
            Assert.DoesNotContain(differing, pair => !HasSeveralSentences(pair.First));
            Assert.True(
                differing.Count <= 0.05 * several,
                $"{differing.Count} of {several} pairs of several sentences differ."
            );
            Assert.Equal(root.GetProperty("aggregate").GetProperty("meteor").GetDouble(), ours.Average(), 1e-3);
        }
    }

    [Fact]
    public void Golden_tokens_align_as_nltk_aligns_them()
    {
        foreach (var (file, _, pairs) in GoldenPairs.All())
        {
            foreach (var pair in pairs)
            {
                var matches = MeteorAlignment.Align(Words(pair, "prediction_tokens"), Words(pair, "reference_tokens"));
                var expected = pair.GetProperty("meteor_matches")
                    .EnumerateArray()
                    .Select(match => (match[0].GetInt32(), match[1].GetInt32()));
                Assert.Equal(expected, matches);
                Assert.Equal(pair.GetProperty("meteor_chunks").GetInt32(), MeteorAlignment.CountChunks(matches));
            }
            output.WriteLine($"{file}: {pairs.Length} pairs");
        }
    }

    [Fact]
    public void Texts_taken_as_one_sentence_score_as_nltk_with_preserve_line()
    {
        foreach (var (_, _, pairs) in GoldenPairs.All())
        {
            foreach (var pair in pairs)
            {
                var score = Meteor.Score(
                    WordTokenizer.TokenizeSentence(pair.Text("prediction")),
                    WordTokenizer.TokenizeSentence(pair.Text("reference"))
                );
                Assert.Equal(pair.GetProperty("meteor_preserve_line").GetDouble(), score, 1e-6);
            }
        }
    }

    [Fact]
    public void The_weights_are_those_of_the_paper_and_can_be_changed()
    {
        // "the cat sat" against "the cat sat down": 3 matches in 1 chunk; P = 1, R = 3/4, F = .75 / (.9 + .1 * .75),
        // penalty .5 / 27.
        Assert.Equal(0.75 / 0.975 * (1 - 0.5 / 27), Meteor.Score("the cat sat", "the cat sat down"), 12);
        Assert.Equal(
            0.75 / 0.875,
            Meteor.Score("the cat sat", "the cat sat down", new() { Alpha = 0.5, Gamma = 0 }),
            12
        );
        Assert.Throws<ArgumentOutOfRangeException>(() => new MeteorOptions { Gamma = 2 });
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("", "a title")]
    [InlineData("a title", "")]
    [InlineData("🎉", "שלום")]
    public void Texts_without_a_match_score_nothing(string prediction, string reference) =>
        Assert.Equal(0, Meteor.Score(prediction, reference));

    static bool HasSeveralSentences(JsonElement pair) =>
        pair.GetProperty("tokens_differ_with_preserve_line").GetBoolean();

    static string[] Words(JsonElement pair, string field) =>
        [.. pair.GetProperty(field).EnumerateArray().Select(token => token.GetString()!)];
}
