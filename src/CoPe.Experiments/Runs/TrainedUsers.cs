namespace CoPe.Experiments.Runs;

/// <summary>The users whom a run has trained adapters of.</summary>
public static class TrainedUsers
{
    /// <summary>
    /// Their ids in order, where the run's lines name them, else their folders' names; what a crash left of one that
    /// was being written is none.
    /// </summary>
    public static IReadOnlyList<string> List(RunDirectory run)
    {
        ArgumentNullException.ThrowIfNull(run);
        if (!Directory.Exists(run.SftAdapters))
        {
            return [];
        }

        var ids = UserRecords
            .FindNamedUsers(run)
            .Select(line => line.User)
            .Where(user => user.Length > 0)
            .Distinct()
            .ToDictionary(RunDirectory.SafeName);
        return
        [
            .. Directory
                .EnumerateDirectories(run.SftAdapters)
                .Select(folder => Path.GetFileName(folder)!)
                .Where(name => !name.EndsWith(".part", StringComparison.Ordinal))
                .Select(name => ids.GetValueOrDefault(name, name))
                .Order(StringComparer.Ordinal),
        ];
    }
}
