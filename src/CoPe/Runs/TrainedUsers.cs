namespace CoPe.Runs;

/// <summary>The users whom a run has trained adapters of.</summary>
public static class TrainedUsers
{
    /// <summary>The names of their folders, in order; what a crash left of one that was being written is none.</summary>
    public static IReadOnlyList<string> Of(RunDirectory run)
    {
        ArgumentNullException.ThrowIfNull(run);
        if (!Directory.Exists(run.SftAdapters)) return [];
        return [.. Directory.EnumerateDirectories(run.SftAdapters).Select(folder => Path.GetFileName(folder)!).Where(name => !name.EndsWith(".part", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];
    }
}
