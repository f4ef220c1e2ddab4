using CoPe.Prompts;

namespace CoPe.Data;

/// <summary>Makes development queries from the histories alone, so that settings can be chosen without looking at a test query.</summary>
public static class DevelopmentSplit
{
    /// <summary>
    /// A dataset whose users have the last items of their histories as queries, worded as the history is worded in training, and the items before them as history.
    /// Their own queries are left out; the others stay as they are. A user with fewer than two items cannot be split and is left out.
    /// </summary>
    public static LampDataset Of(LampDataset dataset, PromptTemplate template, DevelopmentSplitOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        ArgumentNullException.ThrowIfNull(template);
        options ??= new();
        return dataset with
        {
            Users = dataset.Users.Where(user => user.Profile.Count >= 2).Select(user => Split(user, dataset.Task, template, options)).ToList(),
        };
    }

    /// <summary>The id of the query that an item becomes.</summary>
    internal static string IdOf(LampUser user, HistoryItem item) => $"{user.Id}/{item.Id}";

    static LampUser Split(LampUser user, LampTask task, PromptTemplate template, DevelopmentSplitOptions options)
    {
        var count = Math.Clamp((int)(user.Profile.Count * options.LargestFraction), 1, options.QueriesPerUser);
        return user with
        {
            Profile = user.Profile.SkipLast(count).ToList(),
            Queries = user.Profile.TakeLast(count).Select(item => new LampQuery
            {
                Id = IdOf(user, item),
                Input = template.HistoryInput(item),
                Gold = item.Fields[task.OutputField],
            }).ToList(),
        };
    }
}
