using CoPe.Experiments.Data;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Runs;

/// <summary>What identifies a user in the files of a run: id, queries, and texts.</summary>
sealed class UserIdentity
{
    /// <summary>Shorter texts may be anybody's, so they identify nobody.</summary>
    public const int MinTextLength = 12;

    readonly HashSet<string> _written;

    public UserIdentity(LampUser user, LampTask task)
        : this(
            user.Id,
            GetQueryIds(user),
            user.History.Select(item => item.Fields[task.OutputField]).Concat(user.Queries.Select(query => query.Gold))
        )
    {
        var all = ListTexts(user).Select(text => text.Trim()).Distinct().ToList();
        AllTexts = [.. SelectLong(all)];
        ShortTexts = [.. all.Where(text => text.Length is > 0 and < MinTextLength)];
        AreTextsKnown = true;
    }

    /// <summary>A user who is not in the data, by what is known of them.</summary>
    public UserIdentity(string id, IEnumerable<string> queryIds, IEnumerable<string> texts)
    {
        Id = id;
        QueryIds = queryIds.ToHashSet();
        _written = SelectLong(texts).ToHashSet();
        AllTexts = [.. _written];
    }

    public string Id { get; }

    public IReadOnlySet<string> QueryIds { get; }

    /// <summary>Every text of the user that is long enough: what they wrote, and what they wrote it for.</summary>
    public IReadOnlyList<string> AllTexts { get; }

    /// <summary>Texts of the user that are too short to identify them.</summary>
    public IReadOnlyList<string> ShortTexts { get; } = [];

    /// <summary>Whether the data say what the user's texts are.</summary>
    public bool AreTextsKnown { get; }

    /// <summary>Every text of a user: all fields of the history, the queries and their golds.</summary>
    public static IEnumerable<string> ListTexts(LampUser user) =>
        user
            .History.SelectMany(item => item.Fields.Values)
            .Concat(user.Queries.SelectMany(query => (string[])[query.Input, query.Gold]));

    /// <summary>
    /// Ids of a user's queries, and of the history items that a development split turns into queries.
    /// </summary>
    public static IEnumerable<string> GetQueryIds(LampUser user) =>
        user
            .Queries.Select(query => query.Id)
            .Concat(user.History.SelectMany(item => DevelopmentSplit.ListQueryIdsOf(user.Id, item.Id)));

    /// <summary>
    /// Whether a line of a run's file is about the user, borrowed from them, or holds a text of theirs.
    /// </summary>
    public bool OwnsLine(string line)
    {
        if (RecordedLine.Parse(line) is not { } entry)
        {
            return true; // A line that a crash cut off may be anybody's.
        }

        return entry.GetTexts("user").Contains(Id)
            || entry.GetTexts("borrowed_from").Contains(Id)
            || entry.GetTexts("query").Any(QueryIds.Contains)
            || entry.AllTexts.Any(text => _written.Contains(text.Trim()));
    }

    /// <summary>Whether a line is about the user.</summary>
    public bool IsNamedIn(string line) => RecordedLine.Parse(line)?.GetTexts("user").Contains(Id) == true;

    /// <summary>Whether an entry of a prediction file answers one of the user's queries.</summary>
    public bool OwnsPrediction(RecordedLine? prediction) =>
        prediction is null || prediction.GetTexts("id").Any(QueryIds.Contains);

    static IEnumerable<string> SelectLong(IEnumerable<string> texts) =>
        texts.Select(text => text.Trim()).Where(text => text.Length >= MinTextLength);
}
