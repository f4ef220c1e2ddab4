using System.ComponentModel.DataAnnotations;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Data.Importing;

/// <summary>
/// Divides authors into test users and others: those with the most texts are test users, and each one's latest texts
/// become their queries, worded as their history is.
/// </summary>
static class UserSplit
{
    /// <summary>The authors who become test users, of authors with the numbers of their texts.</summary>
    public static IReadOnlySet<int> SelectTestUsers(
        IReadOnlyList<(int Author, int Count)> authors,
        UserSplitOptions options
    )
    {
        var count = Math.Min(options.TestUsers, authors.Count / 2);
        // The sort is stable: of authors with equally many texts, the first of the source comes first.
        return authors
            .Where(author => author.Count >= options.MinItems)
            .OrderByDescending(author => author.Count)
            .Take(count)
            .Select(author => author.Author)
            .ToHashSet();
    }

    /// <summary>The author with their latest texts as queries.</summary>
    public static LampUser SplitQueries(TaskDefinition definition, LampUser author, int count)
    {
        LampQuery ToQuery(HistoryItem item) =>
            new()
            {
                Id = item.Id,
                Input = definition.Template.FormatHistoryItem(item),
                Gold = item.Fields[definition.Task.OutputField],
            };

        return author with
        {
            History = [.. author.History.SkipLast(count)],
            Queries = [.. author.History.TakeLast(count).Select(ToQuery)],
        };
    }
}

/// <summary>
/// How authors are divided into test users and others, and each one's texts into history and queries.
/// </summary>
sealed record UserSplitOptions
{
    /// <summary>Most test users, those with the longest histories; never more than half of the authors.</summary>
    [Range(1, int.MaxValue)]
    public int TestUsers
    {
        get;
        init => field = OptionGuard.Check(typeof(UserSplitOptions), value);
    } = 100;

    /// <summary>Fewest texts of a test user.</summary>
    [Range(2, int.MaxValue)]
    public int MinItems
    {
        get;
        init => field = OptionGuard.Check(typeof(UserSplitOptions), value);
    } = 5;

    /// <summary>Most queries of a test user: their latest texts, at most a fifth of them.</summary>
    [Range(1, int.MaxValue)]
    public int MaxQueries
    {
        get;
        init => field = OptionGuard.Check(typeof(UserSplitOptions), value);
    } = 5;

    /// <summary>Most queries of another user, their latest texts: they train the task-adaptive model.</summary>
    [Range(1, int.MaxValue)]
    public int MaxOtherQueries
    {
        get;
        init => field = OptionGuard.Check(typeof(UserSplitOptions), value);
    } = 20;
}
