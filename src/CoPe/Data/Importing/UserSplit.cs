using CoPe.Data.Tasks;

namespace CoPe.Data.Importing;

/// <summary>Divides authors into test users and others: those with the most texts are tested, and each one's latest texts become his queries, worded as his history is.</summary>
static class UserSplit
{
    /// <summary>A dataset of authors whose whole histories are given, oldest first.</summary>
    public static LampDataset Of(TaskDefinition definition, IReadOnlyList<LampUser> authors, SplitOptions options)
    {
        var count = Math.Min(options.TestUsers, authors.Count / 2);
        // The sort is stable: of authors with as many texts, the first of the source is tested.
        var tested = authors.Where(author => author.Profile.Count >= options.LeastItems).OrderByDescending(author => author.Profile.Count).Take(count).Select(author => author.Id).ToHashSet();
        return new()
        {
            Task = definition.Task,
            Users = [.. authors.Where(author => tested.Contains(author.Id)).Select(author => Ask(definition, author, Math.Clamp(author.Profile.Count / 5, 1, options.Queries)))],
            Others = [.. authors.Where(author => !tested.Contains(author.Id)).Select(author => Ask(definition, author, options.OtherQueries))],
        };
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
