using CoPe.Experiments.Evaluation;
using CoPe.Experiments.Evaluation.Language;
using FsCheck;
using FsCheck.Fluent;

namespace CoPe.Experiments.Tests.Evaluation;

public class MetricPropertyTests
{
    static readonly Arbitrary<string> Texts = Gen.Elements(
            "the",
            "cat",
            "cats",
            "sat",
            "on",
            "U.S.",
            "Dr.",
            "e.g.",
            "2010.",
            ".",
            "!",
            "\"",
            "'s",
            "don't",
            "\n",
            " ",
            "🎉",
            "é",
            "מ",
            "",
            "CAT",
            "...",
            "J."
        )
        .ListOf()
        .Select(parts => string.Join(' ', parts))
        .ToArbitrary();

    [Fact]
    public void Scores_lie_between_0_and_1() =>
        Check(
            (one, other) =>
                All(one, other).All(score => score is >= 0 and <= 1) && Meteor.Score(one, other) is >= 0 and <= 1
        );

    [Fact]
    public void Exchanging_the_texts_exchanges_precision_and_recall() =>
        Check(
            (one, other) =>
                Rouge.RougeN(one, other, 2) == Exchanged(Rouge.RougeN(other, one, 2))
                && Rouge.RougeL(one, other) == Exchanged(Rouge.RougeL(other, one))
        );

    [Fact]
    public void On_ascii_the_words_of_any_script_are_those_of_rouge_score() =>
        Check(
            (one, _) =>
            {
                var ascii = string.Concat(one.Where(char.IsAscii));
                return RougeTokenizer
                    .Tokenize(ascii)
                    .SequenceEqual(RougeTokenizer.Tokenize(ascii, kind: WordTokenizerKind.Unicode));
            }
        );

    [Fact]
    public void A_text_with_words_agrees_with_itself() =>
        Check(
            (one, _) =>
                RougeTokenizer.Tokenize(one).Length == 0
                || (
                    Rouge.RougeN(one, one, 1).FMeasure == 1
                    && Rouge.RougeL(one, one).FMeasure == 1
                    && Rouge.RougeLsum(one, one).FMeasure == 1
                )
        );

    [Fact]
    public void Meteor_takes_little_from_a_text_that_agrees_with_itself() =>
        Check(
            (one, _) =>
            {
                var words = WordTokenizer.Tokenize(one).Count; // one chunk of all words: 1 - .5 (1 / words)^3
                return Math.Abs(Meteor.Score(one, one) - (words == 0 ? 0 : 1 - 0.5 / Math.Pow(words, 3))) < 1e-12;
            }
        );

    [Fact]
    public void Tokenizing_loses_no_letter() =>
        Check(
            (one, _) =>
                string.Concat(WordTokenizer.Tokenize(one))
                    .Where(char.IsLetterOrDigit)
                    .SequenceEqual(one.Where(char.IsLetterOrDigit))
        );

    static IEnumerable<double> All(string one, string other)
    {
        foreach (
            var score in (RougeScore[])
                [
                    Rouge.RougeN(one, other, 1),
                    Rouge.RougeN(one, other, 2),
                    Rouge.RougeL(one, other),
                    Rouge.RougeLsum(one, other),
                ]
        )
        {
            yield return score.Precision;
            yield return score.Recall;
            yield return score.FMeasure;
        }
        yield return StyleDistance.Between(one, [other]).Total;
        yield return TextMetrics.CopyRate(one, [other]);
        yield return TextMetrics.Distinct(one, 2) ?? 0;
    }

    static RougeScore Exchanged(RougeScore score) => new(score.Recall, score.Precision);

    static void Check(Func<string, string, bool> holds) => Prop.ForAll(Texts, Texts, holds).QuickCheckThrowOnFailure();
}
