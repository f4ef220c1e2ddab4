using CoPe.Data;

namespace CoPe.Tests.Data;

public class HistoryRetrievalTests
{
    static readonly LampUser User = new()
    {
        Id = "u",
        Queries = [],
        Profile = [Item("1", "the cat sat", "Cats"), Item("2", "rain in spain", "Weather"), Item("3", "the dog ran", "A cat"), Item("4", "stocks", "Money")],
    };

    static readonly HistoryRetrieval Retrieval = new(LampTasks.NewsHeadline, User);

    [Fact]
    public void The_similar_items_come_best_first_and_count_words_of_input_and_answer() =>
        Assert.Equal(["1", "3"], Retrieval.Similar("Generate a headline: the cat sat", 2).Select(item => item.Id));

    [Fact]
    public void Of_items_without_a_common_word_the_later_ones_are_taken() => Assert.Equal(["4", "3"], Retrieval.Similar("nothing", 2).Select(item => item.Id));

    [Fact]
    public void The_recent_items_come_latest_first_and_no_more_than_there_are() =>
        Assert.Equal(["4", "3", "2", "1"], Retrieval.Recent(9).Select(item => item.Id));

    [Fact]
    public void A_user_without_history_has_nothing_to_show()
    {
        var nobody = new HistoryRetrieval(LampTasks.NewsHeadline, User with { Profile = [] });
        Assert.Empty(nobody.Similar("cat", 3));
        Assert.Empty(nobody.Recent(3));
    }

    static HistoryItem Item(string id, string text, string title) => new() { Id = id, Fields = new Dictionary<string, string> { ["text"] = text, ["title"] = title } };
}
