using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using CoPe.Experiments.Data;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Runs;

/// <summary>Finds and takes out what is a user's in the run's files of lines and of answers.</summary>
/// <param name="run">The run.</param>
/// <param name="user">The user.</param>
sealed class UserRecords(RunDirectory run, UserIdentity user)
{
    static readonly JsonSerializerOptions JsonLayout = new()
    {
        WriteIndented = true,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Files of lines anywhere in the run, and how many lines are his.</summary>
    public IEnumerable<(string Path, int Count)> CountLines() =>
        FindLineFiles(run)
            .Select(file => (file, File.ReadLines(file).Count(BelongsToUser)))
            .Where(pair => pair.Item2 > 0);

    /// <summary>Files of answers, and how many are his.</summary>
    public IEnumerable<(string Path, int Count)> CountAnswers() =>
        FindAnswerFiles(run)
            .Select(file => (file, Golds(Parse(file)).Count(AnswersUserQuery)))
            .Where(pair => pair.Item2 > 0);

    /// <summary>Whether a line of another user holds a text of his, as a borrowed rejected answer does.</summary>
    public bool IsUsedAsRejectedAnswer() =>
        File.Exists(run.Pairs) && File.ReadLines(run.Pairs).Any(line => BelongsToUser(line) && !NamesUser(line));

    /// <summary>
    /// Writes the files anew without what is his, each whole or not at all; the lines last, for they name him.
    /// </summary>
    public void Remove()
    {
        foreach (var (file, _) in CountAnswers().ToList())
        {
            var root = Parse(file);
            var golds = Golds(root);
            foreach (var gold in golds.Where(AnswersUserQuery).ToList())
            {
                golds.Remove(gold);
            }

            AtomicFile.WriteText(file, root.ToJsonString(JsonLayout));
        }

        foreach (var (file, _) in CountLines().ToList())
        {
            AtomicFile.WriteLines(file, [.. File.ReadLines(file).Where(line => !BelongsToUser(line))]);
        }
    }

    /// <summary>The run's files of lines; those of runs within it are theirs, and data are no lines of a run.</summary>
    public static IEnumerable<string> FindLineFiles(RunDirectory run)
    {
        if (!Directory.Exists(run.Root))
        {
            return [];
        }

        string[] apart = [run.Data, run.CheckpointsFolder, .. run.ChildRuns().Select(inner => inner.Root)];
        return Directory
            .EnumerateFiles(run.Root, "*.jsonl", SearchOption.AllDirectories)
            .Where(file => !apart.Any(folder => IsUnder(folder, file)))
            .Order(StringComparer.Ordinal);
    }

    /// <summary>Users whom lines of the run name, with the query where a line is about one.</summary>
    public static IEnumerable<(string User, string? Query)> FindNamedUsers(RunDirectory run)
    {
        foreach (var line in FindLineFiles(run).SelectMany(File.ReadLines))
        {
            if (ParseOrNull(line) is { } entry && ReadString(entry, "user") is { } user)
            {
                yield return (user, ReadString(entry, "query"));
            }
        }
    }

    /// <summary>Queries to which the run holds answers.</summary>
    public static IEnumerable<string> FindAnsweredQueries(RunDirectory run) =>
        FindAnswerFiles(run)
            .SelectMany(file => Golds(Parse(file)))
            .Select(gold => gold?["id"]?.ToString())
            .OfType<string>()
            .Distinct();

    static IEnumerable<string> FindAnswerFiles(RunDirectory run) =>
        Directory.Exists(run.PredictionsFolder)
            ? Directory.EnumerateFiles(run.PredictionsFolder, "*.json").Order(StringComparer.Ordinal)
            : [];

    static bool IsUnder(string folder, string file) =>
        file.StartsWith(folder + Path.DirectorySeparatorChar, StringComparison.Ordinal);

    bool BelongsToUser(string line)
    {
        try
        {
            return JsonNode.Parse(line) is JsonObject entry
                && (
                    FieldMatches(entry, "user", id => id == user.Id)
                    || FieldMatches(entry, "query", user.QueryIds.Contains)
                    || ReadAllStrings(entry).Any(text => user.Texts.Contains(text.Trim()))
                );
        }
        catch (JsonException)
        {
            return true; // What a crash left of a line may be anybody's.
        }
    }

    bool NamesUser(string line) =>
        JsonNode.Parse(line) is JsonObject entry && FieldMatches(entry, "user", id => id == user.Id);

    bool AnswersUserQuery(JsonNode? gold) =>
        gold is JsonObject entry && FieldMatches(entry, "id", user.QueryIds.Contains);

    static bool FieldMatches(JsonObject entry, string field, Func<string, bool> test) =>
        ReadString(entry, field) is { } text && test(text);

    static string? ReadString(JsonObject entry, string field) =>
        entry[field] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    static JsonObject? ParseOrNull(string line)
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

    static IEnumerable<string> ReadAllStrings(JsonNode? node) =>
        node switch
        {
            JsonObject entry => entry.SelectMany(pair => ReadAllStrings(pair.Value)),
            JsonArray array => array.SelectMany(ReadAllStrings),
            JsonValue value when value.TryGetValue<string>(out var text) => [text],
            _ => [],
        };

    static JsonArray Golds(JsonNode root) => root["golds"] as JsonArray ?? [];

    static JsonNode Parse(string file)
    {
        try
        {
            return JsonNode.Parse(File.ReadAllText(file)) ?? throw new JsonException("null");
        }
        catch (JsonException error)
        {
            throw new RunException(
                $"{file} is damaged ({error.Message}), so that it cannot be told what in it is a user's: delete it",
                error
            );
        }
    }
}

/// <summary>By what a user is recognised in a run's files.</summary>
sealed class UserIdentity
{
    /// <summary>Fewest letters of a text that is told from others by itself.</summary>
    const int MinTextLength = 12;

    public UserIdentity(LampUser user, LampTask task)
        : this(
            user.Id,
            GetQueryIds(user),
            user.History.Select(item => item.Fields[task.OutputField]).Concat(user.Queries.Select(query => query.Gold))
        )
    { }

    UserIdentity(string id, IEnumerable<string> queries, IEnumerable<string> texts)
    {
        (Id, QueryIds) = (id, queries.ToHashSet());
        Texts = texts.Select(text => text.Trim()).Where(text => text.Length >= MinTextLength).ToHashSet();
    }

    /// <summary>His queries, and his items as queries of a development split.</summary>
    public static IEnumerable<string> GetQueryIds(LampUser user) =>
        user
            .Queries.Select(query => query.Id)
            .Concat(user.History.Select(item => DevelopmentSplit.QueryIdOf(user, item)));

    public string Id { get; }

    public IReadOnlySet<string> QueryIds { get; }

    /// <summary>The texts he wrote.</summary>
    public IReadOnlySet<string> Texts { get; }

    /// <summary>
    /// A user who is no longer in the data, by the lines that name him, with the queries that are nobody's; null where
    /// a run holds nothing of him.
    /// </summary>
    public static UserIdentity? FindInRun(RunDirectory run, string id, IEnumerable<string> orphans)
    {
        var lines = UserRecords.FindNamedUsers(run).Where(line => line.User == id).ToList();
        var isTrained = Directory.Exists(run.SftAdapter(id)) || Directory.Exists(run.DpoAdapter(id));
        return lines.Count == 0 && !isTrained
            ? null
            : new(id, lines.Select(line => line.Query).OfType<string>().Concat(orphans), []);
    }

    /// <summary>A user of whom nothing but the id is known.</summary>
    public static UserIdentity FromId(string id) => new(id, [], []);

    /// <summary>
    /// A text of his that a file's content holds, in whatever way the formats of a run write it; null for none.
    /// </summary>
    public string? FindTextIn(string content) =>
        Texts.FirstOrDefault(text =>
            GetEncodedForms(text).Any(spelling => content.Contains(spelling, StringComparison.Ordinal))
        );

    static IEnumerable<string> GetEncodedForms(string text) =>
        new[]
        {
            text,
            JsonEncodedText.Encode(text).Value,
            JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).Value,
            System.Net.WebUtility.HtmlEncode(text),
        }.Distinct();
}

/// <summary>Something of a user in a run.</summary>
/// <param name="Path">File or folder, within the run.</param>
/// <param name="Description">What it is.</param>
/// <param name="Count">Lines, entries or files of his.</param>
public sealed record UserTrace(string Path, string Description, int Count);
