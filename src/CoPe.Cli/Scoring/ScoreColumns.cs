using CoPe.Runs;

namespace CoPe.Cli.Scoring;

/// <summary>Which models a text is scored under: the base, those of a run, and adapters named by folder.</summary>
static class ScoreColumns
{
    /// <summary>Names and adapter folders, lowest first, in the order of the table.</summary>
    public static IReadOnlyList<(string Name, IReadOnlyList<string> Adapters)> Of(RunDirectory? run, string? user, IReadOnlyList<string> adapters)
    {
        var columns = new List<(string, IReadOnlyList<string>)> { ("base", []) };
        if (run is not null) columns.AddRange(OfRun(run, user));
        foreach (var folder in adapters) columns.Add((UniqueName(folder, columns), [folder]));
        return columns;
    }

    static IEnumerable<(string, IReadOnlyList<string>)> OfRun(RunDirectory run, string? user)
    {
        if (!Directory.Exists(run.TamAdapter)) throw new RunException($"{run.Name} has no task-adaptive model yet: run 'cope train tam --run {run.Name}' first");
        yield return ("tam", [run.TamAdapter]);
        if (user is null) yield break;
        (string Name, string Folder)[] own = [("sft", run.SftAdapter(user)), ("dpo", run.DpoAdapter(user))];
        if (!own.Any(adapter => Directory.Exists(adapter.Folder))) throw new RunException($"{run.Name} has no adapter of user '{user}'{Users(run, user)}");
        foreach (var (name, folder) in own.Where(adapter => Directory.Exists(adapter.Folder))) yield return (name, [run.TamAdapter, folder]);
    }

    static string Users(RunDirectory run, string user)
    {
        var known = TrainedUsers.Of(run);
        return known.Count == 0 ? $": run 'cope train sft --run {run.Name}' first" : $"{NearestName.Hint(user, known)} (there are {known.Count}: {string.Join(", ", known.Take(5))}{(known.Count > 5 ? ", ..." : "")})";
    }

    static string UniqueName(string folder, List<(string Name, IReadOnlyList<string>)> columns)
    {
        var name = Path.GetFileName(Path.TrimEndingDirectorySeparator(folder));
        return columns.Any(column => column.Name == name) ? $"{name}-{columns.Count}" : name;
    }
}
