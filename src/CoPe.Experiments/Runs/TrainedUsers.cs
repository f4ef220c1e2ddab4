namespace CoPe.Experiments.Runs;

/// <summary>The users that have adapters in a run.</summary>
public static class TrainedUsers
{
    /// <summary>
    /// The users' ids in order; where no line of the run names a user, the name of the adapter's folder. Folders that a
    /// crash left incomplete do not count.
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
                .Where(name => !name.EndsWith(AtomicFile.TemporarySuffix, StringComparison.Ordinal))
                .Select(name => ids.GetValueOrDefault(name) ?? IdFileName.Decode(name) ?? name)
                .Order(StringComparer.Ordinal),
        ];
    }
}
