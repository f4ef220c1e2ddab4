using System.ComponentModel.DataAnnotations;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Data;

/// <summary>
/// Creates development queries from the histories alone, so that settings can be chosen without a test query.
/// </summary>
public static class DevelopmentSplit
{
    /// <summary>
    /// A dataset whose users have the last items of their histories as queries, worded as the history is worded in
    /// training, and the items before them as history. Their test queries are left out; the other users stay as they
    /// are. A user with fewer than two items cannot be split and is left out.
    /// </summary>
    public static LampDataset Create(
        LampDataset dataset,
        PromptTemplate template,
        DevelopmentSplitOptions? options = null
    )
    {
        ArgumentNullException.ThrowIfNull(dataset);
        ArgumentNullException.ThrowIfNull(template);
        options ??= new();
        return dataset with
        {
            Users = dataset
                .Users.Where(user => user.History.Count >= 2)
                .Select(user => Split(user, dataset.Task, template, options))
                .ToList(),
        };
    }

    /// <summary>
    /// The id of the query that an item becomes, one to one: the first slash ends the user's id, in which others are
    /// percent-encoded.
    /// </summary>
    internal static string QueryIdOf(string user, string item) =>
        $"{user.Replace("%", "%25", StringComparison.Ordinal).Replace("/", "%2f", StringComparison.Ordinal)}/{item}";

    /// <summary>The ids of the query that an item becomes: that of today, and that of earlier versions.</summary>
    internal static IEnumerable<string> ListQueryIdsOf(string user, string item) =>
        new[] { QueryIdOf(user, item), $"{user}/{item}" }.Distinct();

    static LampUser Split(LampUser user, LampTask task, PromptTemplate template, DevelopmentSplitOptions options)
    {
        var count = Math.Clamp((int)(user.History.Count * options.LargestFraction), 1, options.QueriesPerUser);
        return user with
        {
            History = user.History.SkipLast(count).ToList(),
            Queries = user
                .History.TakeLast(count)
                .Select(item => new LampQuery
                {
                    Id = QueryIdOf(user.Id, item.Id),
                    Input = template.FormatHistoryItem(item),
                    Gold = item.Fields[task.OutputField],
                })
                .ToList(),
        };
    }
}

/// <summary>How much of each history becomes development queries.</summary>
public sealed record DevelopmentSplitOptions
{
    /// <summary>Most queries a user.</summary>
    [Range(1, int.MaxValue)]
    public int QueriesPerUser
    {
        get;
        init => field = OptionGuard.Check(typeof(DevelopmentSplitOptions), value);
    } = 5;

    /// <summary>
    /// Largest part of a history that may become queries (one item is always taken), above 0 and at most 0.5.
    /// </summary>
    [Range(0, 0.5, MinimumIsExclusive = true)]
    public double LargestFraction
    {
        get;
        init => field = OptionGuard.Check(typeof(DevelopmentSplitOptions), value);
    } = 0.2;
}
