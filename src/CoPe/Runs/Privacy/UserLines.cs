using System.Text.Json;
using System.Text.Json.Nodes;

namespace CoPe.Runs.Privacy;

/// <summary>Finds and takes out what is a user's in the run's files of lines and of answers.</summary>
/// <param name="run">The run.</param>
/// <param name="user">The user.</param>
sealed class UserLines(RunDirectory run, KnownUser user)
{
    static readonly JsonSerializerOptions Layout = new() { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Files of lines anywhere in the run, and how many lines are his.</summary>
    public IEnumerable<(string Path, int Count)> Lines() => FilesOf(run).Select(file => (file, File.ReadLines(file).Count(IsHis))).Where(pair => pair.Item2 > 0);

    /// <summary>Files of answers, and how many are his.</summary>
    public IEnumerable<(string Path, int Count)> Answers() => AnswerFilesOf(run).Select(file => (file, Golds(Parse(file)).Count(IsHisAnswer))).Where(pair => pair.Item2 > 0);

    /// <summary>Whether a line of another user holds a text of his, as a borrowed rejected answer does.</summary>
    public bool IsBorrowed() => File.Exists(run.Pairs) && File.ReadLines(run.Pairs).Any(line => IsHis(line) && !IsNamed(line));

    /// <summary>Writes the files anew without what is his, each whole or not at all; the lines last, for they name him.</summary>
    public void TakeOut()
    {
        foreach (var (file, _) in Answers().ToList())
        {
            var root = Parse(file);
            var golds = Golds(root);
            foreach (var gold in golds.Where(IsHisAnswer).ToList()) golds.Remove(gold);
            AtomicFile.WriteText(file, root.ToJsonString(Layout));
        }

        foreach (var (file, _) in Lines().ToList()) AtomicFile.WriteLines(file, [.. File.ReadLines(file).Where(line => !IsHis(line))]);
    }

    /// <summary>The run's files of lines; those of runs within it are theirs, and data are no lines of a run.</summary>
    public static IEnumerable<string> FilesOf(RunDirectory run)
    {
        if (!Directory.Exists(run.Root)) return [];
        string[] apart = [run.Data, run.AllCheckpoints, .. run.Within().Select(inner => inner.Root)];
        return Directory.EnumerateFiles(run.Root, "*.jsonl", SearchOption.AllDirectories).Where(file => !apart.Any(folder => IsUnder(folder, file))).Order(StringComparer.Ordinal);
    }

    /// <summary>Users whom lines of the run name, with the query where a line is about one.</summary>
    public static IEnumerable<(string User, string? Query)> Named(RunDirectory run)
    {
        foreach (var line in FilesOf(run).SelectMany(File.ReadLines))
            if (Entry(line) is { } entry && Text(entry, "user") is { } user) yield return (user, Text(entry, "query"));
    }

    /// <summary>Queries to which the run holds answers.</summary>
    public static IEnumerable<string> Answered(RunDirectory run) => AnswerFilesOf(run).SelectMany(file => Golds(Parse(file))).Select(gold => gold?["id"]?.ToString()).OfType<string>().Distinct();

    static IEnumerable<string> AnswerFilesOf(RunDirectory run) => Directory.Exists(run.AllPredictions) ? Directory.EnumerateFiles(run.AllPredictions, "*.json").Order(StringComparer.Ordinal) : [];

    static bool IsUnder(string folder, string file) => file.StartsWith(folder + Path.DirectorySeparatorChar, StringComparison.Ordinal);

    bool IsHis(string line)
    {
        try
        {
            return JsonNode.Parse(line) is JsonObject entry && (Is(entry, "user", id => id == user.Id) || Is(entry, "query", user.Queries.Contains) || Texts(entry).Any(text => user.Texts.Contains(text.Trim())));
        }
        catch (JsonException)
        {
            return true; // What a crash left of a line may be anybody's.
        }
    }

    bool IsNamed(string line) => JsonNode.Parse(line) is JsonObject entry && Is(entry, "user", id => id == user.Id);

    bool IsHisAnswer(JsonNode? gold) => gold is JsonObject entry && Is(entry, "id", user.Queries.Contains);

    static bool Is(JsonObject entry, string field, Func<string, bool> test) => Text(entry, field) is { } text && test(text);

    static string? Text(JsonObject entry, string field) => entry[field] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    static JsonObject? Entry(string line)
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

    static IEnumerable<string> Texts(JsonNode? node) => node switch
    {
        JsonObject entry => entry.SelectMany(pair => Texts(pair.Value)),
        JsonArray array => array.SelectMany(Texts),
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
            throw new RunException($"{file} is damaged ({error.Message}), so that it cannot be told what in it is a user's: delete it", error);
        }
    }
}
