using CoPe.Experiments.Evaluation;
using CoPe.Experiments.Report;

namespace CoPe.Experiments.Tests.Evaluation;

public class WritingComparisonTests
{
    static readonly string[] Own =
    [
        "Right then, the kettle broke! More tomorrow, if the weather holds.",
        "Right then, the bus was late! More tomorrow, if the weather holds.",
        "Right then, rain again! More tomorrow, if the weather holds.",
    ];

    static readonly string[] Base = ["The lamp is a device for light", "The train is a vehicle on rails"];

    static readonly string[] Personal =
    [
        "Right then, the lamp went out! More tomorrow, if the weather holds.",
        "Right then, the train stopped! More tomorrow.",
    ];

    [Fact]
    public void Phrases_of_several_own_texts_that_only_the_new_answers_have_are_taken_up()
    {
        var phrases = WritingComparison.Compute(Own, Base, Personal).Phrases;

        Assert.Equal(new TakenPhrase("More tomorrow, if the weather holds", 3, 1), phrases[0]);
        Assert.Contains(phrases, phrase => phrase.Text.StartsWith("Right then", StringComparison.Ordinal));
    }

    [Fact]
    public void A_phrase_of_the_base_model_or_of_one_text_alone_is_not_taken_up()
    {
        string[] bases = [.. Base, "More tomorrow, if the weather holds."];
        string[] answers = ["More tomorrow, if the weather holds. The kettle broke!"];

        Assert.Empty(WritingComparison.Compute(Own, bases, answers).Phrases);
    }

    [Fact]
    public void A_trait_is_taken_up_where_the_answers_are_at_least_half_the_way_nearer()
    {
        var traits = WritingComparison.Compute(Own, Base, Personal).Traits.ToDictionary(trait => trait.Name);

        var marks = traits["exclamation marks, for 100 words"];
        Assert.True(marks.IsTakenUp);
        Assert.Equal((0.0, 3.0), (marks.Before!.Value, Math.Round(marks.Own * Own.Sum(CountWords) / 100)));
        Assert.False(new WritingTrait("length", 10, 4, 6).IsTakenUp);
        Assert.True(new WritingTrait("length", 10, 4, 7).IsTakenUp);
        Assert.False(new WritingTrait("length", 10, 9, 10).IsTakenUp);
        Assert.False(new WritingTrait("length", 10, null, 10).IsTakenUp);
    }

    [Fact]
    public void Sentences_are_counted_by_their_marks_and_by_lines_without_one()
    {
        var traits = WritingComparison
            .Compute(["One two. Three four?! Five six\n\nSeven"], [], ["x"])
            .Traits.ToDictionary(trait => trait.Name);

        Assert.Equal(7 / 4.0, traits["words a sentence"].Own);
        Assert.Equal(2, traits["paragraphs a text"].Own);
    }

    [Fact]
    public void The_style_comes_nearer_and_the_sentences_say_so()
    {
        var comparison = WritingComparison.Compute(Own, Base, Personal);

        Assert.True(comparison.Distance < comparison.BaseDistance);
        var sentences = PersonText.Describe(comparison);
        Assert.StartsWith("style: nearer to yours", sentences[0], StringComparison.Ordinal);
        Assert.Contains(sentences, sentence => sentence.Contains("\"More tomorrow, if", StringComparison.Ordinal));
    }

    [Fact]
    public void Answers_that_took_up_nothing_are_said_to_have_taken_up_nothing()
    {
        var sentences = PersonText.Describe(WritingComparison.Compute(Own, Base, Base));

        Assert.StartsWith("style: as far from yours", sentences[0], StringComparison.Ordinal);
        Assert.Contains("none of your habits", sentences[1], StringComparison.Ordinal);
    }

    static int CountWords(string text) => text.Split(' ').Length;
}
