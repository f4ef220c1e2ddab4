using CoPe.Experiments.Data;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Tests.Data;

public class DevelopmentSplitTests
{
    static readonly PromptTemplate Template = PromptFile.LoadShipped(LampTasks.NewsHeadline);

    [Theory]
    [InlineData(50, 5)]
    [InlineData(12, 2)] // a fifth of 12 is 2.4
    [InlineData(3, 1)]
    [InlineData(2, 1)]
    public void The_last_items_become_queries_and_the_rest_stays(int items, int queries)
    {
        var user = Assert.Single(DevelopmentSplit.Create(Dataset(items), Template).Users);
        Assert.Equal(items - queries, user.History.Count);
        Assert.Equal(queries, user.Queries.Count);
        var last = user.Queries[^1];
        Assert.Equal($"Generate a headline for the following article: text {items}", last.Input);
        Assert.Equal($"title {items}", last.Gold);
        Assert.Equal($"u/{items}", last.Id);
    }

    [Fact]
    public void A_user_with_one_item_is_left_out_and_the_dataset_given_is_not_changed()
    {
        var dataset = Dataset(1);
        Assert.Empty(DevelopmentSplit.Create(dataset, Template).Users);
        Assert.Equal("test", dataset.Users[0].Queries[0].Id);
    }

    [Fact]
    public void No_two_items_of_users_become_a_query_of_one_id()
    {
        string[] users = ["a", "a/b", "a%2fb", "a/b/c", "a%", "%", "/"];
        string[] items = ["1", "b/1", "b/c/1", "c/1", "/1", "2fb/1", "%2f1"];

        var ids = users.SelectMany(user => items.Select(item => DevelopmentSplit.QueryIdOf(user, item))).ToList();

        Assert.Equal(ids.Count, ids.Distinct().Count());
        Assert.Equal("a/1", ids[0]);
        Assert.Equal(["a%2fb/4", "a/b/4"], DevelopmentSplit.ListQueryIdsOf("a/b", "4"));
    }

    static LampDataset Dataset(int items) =>
        new()
        {
            Task = LampTasks.NewsHeadline,
            Others = [],
            Users =
            [
                new()
                {
                    Id = "u",
                    Queries =
                    [
                        new()
                        {
                            Id = "test",
                            Input = "i",
                            Gold = "g",
                        },
                    ],
                    History = Enumerable
                        .Range(1, items)
                        .Select(n => new HistoryItem
                        {
                            Id = $"{n}",
                            Fields = new Dictionary<string, string>
                            {
                                ["text"] = $"text {n}",
                                ["title"] = $"title {n}",
                            },
                        })
                        .ToList(),
                },
            ],
        };
}
