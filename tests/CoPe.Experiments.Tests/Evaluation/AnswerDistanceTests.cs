using CoPe.Experiments.Evaluation;

namespace CoPe.Experiments.Tests.Evaluation;

public class AnswerDistanceTests
{
    [Theory]
    [InlineData(0, "a b", "a b")]
    [InlineData(0, "a b", "b  a\n")]
    [InlineData(1, "a b", "c")]
    [InlineData(1, "A b", "a B")]
    [InlineData(1, "", "a")]
    [InlineData(0, "", "")]
    [InlineData(0, "alone")]
    [InlineData(0.75, "a b c d", "a")]
    [InlineData(2.0 / 3, "a", "a", "b")]
    public void It_is_the_mean_share_of_words_that_two_answers_do_not_share(double expected, params string[] answers) =>
        Assert.Equal(expected, AnswerDistance.Mean(answers), 1e-12);
}
