using CoPe.Data.Tasks;

namespace CoPe.Data.Importing;

/// <summary>Divides authors into test users and others: those with the most texts are tested, and each one's latest texts become his queries, worded as his history is.</summary>
static class UserSplit
{
    /// <summary>The authors who are tested, of authors with the numbers of their texts.</summary>
    public static IReadOnlySet<int> Tested(IReadOnlyList<(int Author, int Count)> authors, SplitOptions options)
    {
        var count = Math.Min(options.TestUsers, authors.Count / 2);
        // The sort is stable: of authors with as many texts, the first of the source is tested.
        return authors.Where(author => author.Count >= options.LeastItems).OrderByDescending(author => author.Count).Take(count).Select(author => author.Author).ToHashSet();
    }

    /// <summary>The author with his latest texts as queries.</summary>
    public static LampUser Ask(TaskDefinition definition, LampUser author, int queries) => author with
    {
        Profile = [.. author.Profile.SkipLast(queries)],
        Queries =
        [
            .. author.Profile.TakeLast(queries).Select(item => new LampQuery
            {
                Id = item.Id, Input = definition.Template.HistoryInput(item), Gold = item.Fields[definition.Task.OutputField],
            }),
        ],
    };
}
