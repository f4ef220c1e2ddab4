using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Tests.Tasks;

public class AnswerExtractorTests
{
    [Theory]
    [InlineData("  A Title \n", "A Title")]
    [InlineData("Title: A Title", "A Title")]
    [InlineData("TITLE :\n \"A Title\"", "A Title")]
    [InlineData("“A Title”", "A Title")]
    [InlineData("A Title\nAnd more the model said", "A Title")]
    [InlineData("A title: of two parts", "A title: of two parts")]
    [InlineData("Titles: a study", "Titles: a study")]
    [InlineData("\"A\" and \"B\"", "\"A\" and \"B\"")]
    [InlineData("'Game of Thrones' city", "'Game of Thrones' city")]
    [InlineData("title: title: x", "title: x")]
    [InlineData("It ends with a stop.", "It ends with a stop.")]
    [InlineData("", "")]
    [InlineData("\"", "\"")]
    public void A_title_is_the_first_line_without_label_and_enclosing_quotes(string text, string answer) =>
        Assert.Equal(answer, AnswerExtractor.Extract(text, LampTasks.ScholarlyTitle));

    [Theory]
    [InlineData("Review: \"good\" \n\n I said ", "\"good\" \n\n I said")]
    [InlineData("Review text: fine", "fine")]
    [InlineData("\"whole\"", "\"whole\"")]
    public void A_long_answer_loses_only_blanks_and_its_label(string text, string answer) =>
        Assert.Equal(answer, AnswerExtractor.Extract(text, LampTasks.ReviewWriting));

    [Theory]
    [InlineData("Score: 4.", "4")]
    [InlineData("4", "4")]
    [InlineData("'4'.\nBecause", "4")]
    [InlineData("4.0", "4.0")]
    public void A_score_loses_its_stop(string text, string answer) =>
        Assert.Equal(answer, AnswerExtractor.Extract(text, LampTasks.ProductRating));
}
