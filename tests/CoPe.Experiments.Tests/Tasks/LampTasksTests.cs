using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Tests.Tasks;

public class LampTasksTests
{
    [Fact]
    public void There_are_eleven_tasks_with_names_and_identifiers_of_their_own()
    {
        Assert.Equal(11, LampTasks.All.Select(task => task.Name).Distinct().Count());
        Assert.Equal(11, LampTasks.All.Select(task => task.BenchmarkId).Distinct().Count());
    }

    [Fact]
    public void A_task_is_found_by_name_and_by_identifier()
    {
        Assert.Same(LampTasks.ScholarlyTitle, LampTasks.ByName("scholarly_title"));
        Assert.Same(LampTasks.ReviewWriting, LampTasks.ByName("LongLaMP_3"));
    }

    [Fact]
    public void An_unknown_task_is_refused_with_the_nearest() =>
        Assert.Contains(
            "nearest is \"news_headline\"",
            Assert.Throws<ArgumentException>(() => LampTasks.ByName("news-headlines")).Message
        );

    [Fact]
    public void A_name_from_a_file_cannot_break_the_message()
    {
        var error = Assert.Throws<ArgumentException>(() => LampTasks.ByName("news\n\u001b[2J" + new string('x', 9999)));
        Assert.InRange(error.Message.Length, 50, MessageText.MaxLength);
        Assert.DoesNotContain(error.Message, char.IsControl);
    }

    [Fact]
    public void Long_tasks_have_six_hundred_tokens_and_a_penalty()
    {
        Assert.Equal((600, 1.2), (LampTasks.TopicWriting.MaxNewTokens, LampTasks.TopicWriting.RepetitionPenalty));
        Assert.Equal((100, 1.0), (LampTasks.NewsHeadline.MaxNewTokens, LampTasks.NewsHeadline.RepetitionPenalty));
    }
}
