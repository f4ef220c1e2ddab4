using CoPe.Experiments.Evaluation;

namespace CoPe.Experiments.Tests.Evaluation;

public class TextMetricsTests
{
    [Theory]
    [InlineData("one two three", "one two three four five six", 0.5)]
    [InlineData("", "one", 0)]
    [InlineData("🎉 👩‍👩‍👧", "one", 2)]
    public void Length_is_words_per_word(string prediction, string reference, double ratio) =>
        Assert.Equal(ratio, TextMetrics.LengthRatio(prediction, reference)!.Value, 12);

    [Fact]
    public void A_reference_without_words_has_no_length_ratio() => Assert.Null(TextMetrics.LengthRatio("one", " "));

    [Fact]
    public void Variety_is_different_n_grams_per_n_gram()
    {
        // "the cat. The cat sat": words the cat the cat sat: 3 of 5; pairs (the cat) (cat the) (the cat) (cat sat): 3
        // of 4.
        Assert.Equal(3.0 / 5, TextMetrics.Distinct("the cat. The cat sat", 1)!.Value, 12);
        Assert.Equal(3.0 / 4, TextMetrics.Distinct("the cat. The cat sat", 2)!.Value, 12);
        Assert.Null(TextMetrics.Distinct("one", 2));
    }

    [Fact]
    public void In_a_script_without_blanks_each_character_is_a_word()
    {
        Assert.Equal(0.5, TextMetrics.LengthRatio("今天", "今天下雨。")!.Value, 12);
        Assert.Equal(2.0 / 3, TextMetrics.Distinct("雨雨雪", 1)!.Value, 12);
        Assert.Equal(3.0 / 4, TextMetrics.Distinct("AI 和 ai 人", 1)!.Value, 12); // words as between blanks elsewhere
        Assert.Equal(1, TextMetrics.CopyRate("今天下雨", ["昨天晴。今天下雨了"]), 12);
        Assert.Equal(0, TextMetrics.CopyRate("今天下雪", ["昨天晴。今天下雨了"]), 12);
        Assert.Equal(0.5, StyleDistance.Between("今天", ["今天下雨"]).Length, 12);
        Assert.Equal(2.0 / 3, AnswerDistance.Mean(["今天", "今晚"]), 12);
    }

    [Fact]
    public void Copying_is_four_words_in_a_row_from_one_text_of_the_history()
    {
        // Four-grams of the prediction: (a b c d) and (b c d x); the first is in the history.
        Assert.Equal(0.5, TextMetrics.CopyRate("a b c d x", ["z A, b C d.", "b c", "d x"]), 12);
        Assert.Equal(1, TextMetrics.CopyRate("a b c d", ["a b c d"]));
        Assert.Equal(0, TextMetrics.CopyRate("a b c", ["a b c"]));
        Assert.Equal(0, TextMetrics.CopyRate("a b c d", []));
    }

    [Fact]
    public void A_text_has_no_distance_from_itself()
    {
        var distance = StyleDistance.Between("The cat, however, sat! WOW", ["The cat, however, sat! WOW"]);
        Assert.Equal(new StyleDistance(0, 0, 0, 0), distance);
    }

    [Fact]
    public void Each_part_measures_its_own_side_of_the_style()
    {
        // Against "the cat sat on a mat": only the case differs; only a mark is added; only the length doubles.
        const string Own = "the cat sat on a mat";
        Assert.Equal(new StyleDistance(0, 0, 0, 1), StyleDistance.Between("THE CAT SAT", ["the cat sat"]));
        Assert.Equal(1.0 / 7, StyleDistance.Between(Own + "!", [Own]).Punctuation, 12);
        Assert.Equal(0.5, StyleDistance.Between($"{Own} {Own}", [Own]).Length, 12);
        // Three function words of six (the, on, a) against none of six: half of |1/6| * 3 + |1/2|.
        Assert.Equal(0.5, StyleDistance.Between("red cat sat hat bat mat", [Own]).FunctionWords, 12);
    }

    [Fact]
    public void A_users_own_text_is_nearer_than_a_strangers()
    {
        string[] own =
        [
            "honestly?? i loved it!! the screen is so so nice",
            "ok so... this one broke after a week!! not happy",
        ];
        var near = StyleDistance.Between("so i tried it and honestly?? it's so nice!!", own).Total;
        var other =
            "The Device Operates as Specified; However, Its Battery Capacity Is Insufficient for Long Journeys.";
        var far = StyleDistance.Between(other, own).Total;
        Assert.True(near < far, $"near {near}, far {far}");
    }

    [Theory]
    [InlineData("")]
    [InlineData("🎉🎉")]
    [InlineData("שלום עולם")]
    [InlineData("日本語のテキスト。")]
    public void Any_text_has_a_distance_between_0_and_1(string text)
    {
        Assert.InRange(StyleDistance.Between(text, ["The cat sat."]).Total, 0, 1);
        Assert.InRange(StyleDistance.Between("The cat sat.", [text]).Total, 0, 1);
    }

    [Fact]
    public void Ratings_and_labels_have_their_errors()
    {
        Assert.Equal(1.5, RatingMetrics.Mae([1, 5], [2, 3]), 12);
        Assert.Equal(Math.Sqrt(2.5), RatingMetrics.Rmse([1, 5], [2, 3]), 12);
        Assert.Equal(4.5, RatingMetrics.Parse(" 4.5\n"));
        Assert.Null(RatingMetrics.Parse("4,5 stars"));
        Assert.Null(RatingMetrics.Parse("NaN"));
        Assert.Equal(1, ClassificationMetrics.MacroF1(["a", "b"], ["a", "b"]));
        Assert.Equal(2.0 / 3, ClassificationMetrics.MacroF1(["a", "b"], ["a", "b"], ["a", "b", "c"]), 12);
        Assert.Throws<ArgumentException>(() => ClassificationMetrics.Accuracy(["a"], []));
    }
}
