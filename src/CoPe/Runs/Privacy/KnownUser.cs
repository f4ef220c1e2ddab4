using System.Text.Encodings.Web;
using System.Text.Json;
using CoPe.Data;

namespace CoPe.Runs.Privacy;

/// <summary>By what a user is recognised in a run's files.</summary>
sealed class KnownUser
{
    /// <summary>Fewest letters of a text that is told from others by itself.</summary>
    const int LeastLetters = 12;

    public KnownUser(LampUser user, LampTask task)
        : this(user.Id, QueriesOf(user), user.Profile.Select(item => item.Fields[task.OutputField]).Concat(user.Queries.Select(query => query.Gold)))
    {
    }

    KnownUser(string id, IEnumerable<string> queries, IEnumerable<string> texts)
    {
        (Id, Queries) = (id, queries.ToHashSet());
        Texts = texts.Select(text => text.Trim()).Where(text => text.Length >= LeastLetters).ToHashSet();
    }

    /// <summary>His queries, and his items as queries of a development split.</summary>
    public static IEnumerable<string> QueriesOf(LampUser user) => user.Queries.Select(query => query.Id).Concat(user.Profile.Select(item => DevelopmentSplit.IdOf(user, item)));

    public string Id { get; }

    public IReadOnlySet<string> Queries { get; }

    /// <summary>The texts he wrote.</summary>
    public IReadOnlySet<string> Texts { get; }

    /// <summary>A user who is no longer in the data, by the lines that name him, with the queries that are nobody's; null where a run holds nothing of him.</summary>
    public static KnownUser? OfRun(RunDirectory run, string id, IEnumerable<string> orphans)
    {
        var lines = UserLines.Named(run).Where(line => line.User == id).ToList();
        var isTrained = Directory.Exists(run.SftAdapter(id)) || Directory.Exists(run.DpoAdapter(id));
        return lines.Count == 0 && !isTrained ? null : new(id, lines.Select(line => line.Query).OfType<string>().Concat(orphans), []);
    }

    /// <summary>A user of whom nothing but the id is known.</summary>
    public static KnownUser OfId(string id) => new(id, [], []);

    /// <summary>A text of his that a file's content holds, in whatever way the formats of a run write it; null for none.</summary>
    public string? TextIn(string content) => Texts.FirstOrDefault(text => Spellings(text).Any(spelling => content.Contains(spelling, StringComparison.Ordinal)));

    static IEnumerable<string> Spellings(string text) =>
        new[] { text, JsonEncodedText.Encode(text).Value, JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).Value, System.Net.WebUtility.HtmlEncode(text) }.Distinct();
}
