using CoPe.Experiments.Data;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Tests.Data;

public class HistoryRetrievalTests
{
    static readonly LampUser User = new()
    {
        Id = "u",
        Queries = [],
        History =
        [
            Item("1", "the cat sat", "Cats"),
            Item("2", "rain in spain", "Weather"),
            Item("3", "the dog ran", "A cat"),
            Item("4", "stocks", "Money"),
        ],
    };

    static readonly HistoryRetrieval Retrieval = new(LampTasks.NewsHeadline, User);

    [Fact]
    public void The_similar_items_come_best_first_and_count_words_of_input_and_answer() =>
        Assert.Equal(["1", "3"], Retrieval.FindSimilar("Generate a headline: the cat sat", 2).Select(item => item.Id));

    [Theory]
    [InlineData("写一个标题:海边的桥", "2")]
    [InlineData("ข่าวเรื่องฝน", "3")]
    [InlineData("the bridge", "1")]
    public void In_a_script_without_blanks_characters_are_compared(string request, string nearest)
    {
        var user = User with
        {
            History =
            [
                Item("1", "the bridge", "a"),
                Item("2", "新桥在海边", "桥"),
                Item("3", "วันนี้ฝนตก", "ฝน"),
                Item("4", "股票", "钱"),
            ],
        };

        Assert.Equal(
            nearest,
            Assert.Single(new HistoryRetrieval(LampTasks.NewsHeadline, user).FindSimilar(request, 1)).Id
        );
    }

    [Fact]
    public void Of_items_without_a_common_word_the_later_ones_are_taken() =>
        Assert.Equal(["4", "3"], Retrieval.FindSimilar("nothing", 2).Select(item => item.Id));

    [Fact]
    public void The_recent_items_come_latest_first_and_no_more_than_there_are() =>
        Assert.Equal(["4", "3", "2", "1"], Retrieval.TakeRecent(9).Select(item => item.Id));

    [Fact]
    public void A_user_without_history_has_nothing_to_show()
    {
        var nobody = new HistoryRetrieval(LampTasks.NewsHeadline, User with { History = [] });
        Assert.Empty(nobody.FindSimilar("cat", 3));
        Assert.Empty(nobody.TakeRecent(3));
    }

    static HistoryItem Item(string id, string text, string title) =>
        new()
        {
            Id = id,
            Fields = new Dictionary<string, string> { ["text"] = text, ["title"] = title },
        };
}

public class Bm25Tests
{
    [Fact]
    public void Bm25_is_the_formula()
    {
        // Two texts of lengths 2 and 4, mean 3. "b" stands in both: idf = ln(1 + .5/2.5); "a" in the first: idf = ln(1
        // + 1.5/1.5).
        var scores = new Bm25(["a b", "B, b; c d"]).ComputeScores("a b b");
        var (idfA, idfB) = (Math.Log(2), Math.Log(1.2));
        var (first, second) = (1.5 * (.25 + .75 * 2 / 3), 1.5 * (.25 + .75 * 4 / 3));
        Assert.Equal((idfA + idfB) * 2.5 / (1 + first), scores[0], 12);
        Assert.Equal(idfB * 2 * 2.5 / (2 + second), scores[1], 12);
        Assert.Equal([0, 0], new Bm25(["", ""]).ComputeScores("a"));
    }
}
