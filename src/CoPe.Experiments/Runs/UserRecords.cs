using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using CoPe.Experiments.Data;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Runs;

/// <summary>Something in a run that is derived from a user.</summary>
/// <param name="Path">File or folder; within the run where it is listed.</param>
/// <param name="Description">What it is.</param>
/// <param name="Count">How many lines, entries or files are the user's.</param>
public sealed record UserTrace(string Path, string Description, int Count);

/// <summary>Finds the users whom the files of a run name, without the data.</summary>
static class UserRecords
{
    /// <summary>Users named in lines of the run, with the query where a line is about one.</summary>
    public static IEnumerable<(string User, string? Query)> FindNamedUsers(RunDirectory run)
    {
        foreach (var line in FindLineFiles(run).SelectMany(File.ReadLines))
        {
            if (ParseLine(line) is { } entry && ReadString(entry, "user") is { } user)
            {
                yield return (user, ReadString(entry, "query"));
            }
        }
    }

    /// <summary>A line as an object; null where it is none, such as a line that a crash cut off.</summary>
    public static JsonObject? ParseLine(string line)
    {
        try
        {
            return JsonNode.Parse(line) as JsonObject;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>A field that is a string; null where it is missing or something else.</summary>
    public static string? ReadString(JsonObject entry, string field) =>
        entry[field] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    /// <summary>Every string at any depth.</summary>
    public static IEnumerable<string> ReadAllStrings(JsonNode? node) =>
        node switch
        {
            JsonObject entry => entry.SelectMany(pair => ReadAllStrings(pair.Value)),
            JsonArray array => array.SelectMany(ReadAllStrings),
            JsonValue value when value.TryGetValue<string>(out var text) => [text],
            _ => [],
        };

    /// <summary>The run's files of JSON lines, without those of its child runs and of data inside its folder.</summary>
    static IEnumerable<string> FindLineFiles(RunDirectory run)
    {
        if (!Directory.Exists(run.Root))
        {
            return [];
        }

        string[] excluded = [run.Data, run.CheckpointsFolder, .. run.ChildRuns().Select(child => child.Root)];
        return Directory
            .EnumerateFiles(run.Root, "*.jsonl", SearchOption.AllDirectories)
            .Where(file => !excluded.Any(folder => IsUnder(folder, file)))
            .Order(StringComparer.Ordinal);
    }

    static bool IsUnder(string folder, string file) =>
        file.StartsWith(folder + Path.DirectorySeparatorChar, StringComparison.Ordinal);
}

/// <summary>What identifies a user in the files of a run: id, queries, and texts that the user wrote.</summary>
sealed class UserIdentity
{
    /// <summary>Shorter texts may be anybody's, so they identify nobody.</summary>
    const int MinTextLength = 12;

    readonly HashSet<string> _texts;

    public UserIdentity(LampUser user, LampTask task)
        : this(
            user.Id,
            GetQueryIds(user),
            user.History.Select(item => item.Fields[task.OutputField]).Concat(user.Queries.Select(query => query.Gold))
        )
    { }

    /// <summary>A user who is not in the data, by what is known of them.</summary>
    public UserIdentity(string id, IEnumerable<string> queryIds, IEnumerable<string> texts)
    {
        Id = id;
        QueryIds = queryIds.ToHashSet();
        _texts = texts.Select(text => text.Trim()).Where(text => text.Length >= MinTextLength).ToHashSet();
    }

    public string Id { get; }

    public IReadOnlySet<string> QueryIds { get; }

    /// <summary>
    /// Ids of a user's queries, and of the history items that a development split turns into queries.
    /// </summary>
    public static IEnumerable<string> GetQueryIds(LampUser user)
    {
        var developmentQueries = user.History.Select(item => DevelopmentSplit.QueryIdOf(user, item));
        return user.Queries.Select(query => query.Id).Concat(developmentQueries);
    }

    /// <summary>Whether a line of a run's file is about the user or holds one of their texts.</summary>
    public bool OwnsLine(string line)
    {
        JsonNode? node;
        try
        {
            node = JsonNode.Parse(line);
        }
        catch (JsonException)
        {
            return true; // A line that a crash cut off may be anybody's.
        }

        if (node is not JsonObject entry)
        {
            return false;
        }

        return UserRecords.ReadString(entry, "user") == Id
            || (UserRecords.ReadString(entry, "query") is { } query && QueryIds.Contains(query))
            || UserRecords.ReadAllStrings(entry).Any(text => _texts.Contains(text.Trim()));
    }

    /// <summary>Whether a line is about the user.</summary>
    public bool IsNamedIn(string line) =>
        UserRecords.ParseLine(line) is { } entry && UserRecords.ReadString(entry, "user") == Id;

    /// <summary>Whether an entry of a prediction file answers one of the user's queries.</summary>
    public bool OwnsPrediction(JsonNode? gold) =>
        gold is JsonObject entry && UserRecords.ReadString(entry, "id") is { } id && QueryIds.Contains(id);

    /// <summary>
    /// A text of the user that the content of a file holds, in any of the encodings that a run writes; null for none.
    /// </summary>
    public string? FindTextIn(string content) =>
        _texts.FirstOrDefault(text =>
            GetEncodedForms(text).Any(form => content.Contains(form, StringComparison.Ordinal))
        );

    static IEnumerable<string> GetEncodedForms(string text)
    {
        string[] forms =
        [
            text,
            JsonEncodedText.Encode(text).Value,
            JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).Value,
            System.Net.WebUtility.HtmlEncode(text),
        ];
        return forms.Distinct();
    }
}
