using CoPe.Experiments.Runs.Recipes;

namespace CoPe.Experiments.Runs;

/// <summary>
/// Finds what a recipe of an earlier version names, which kept paths as they were typed. They are looked up from the
/// run's folder and those above it, or where the run has read them; what the run has read must be there, so that
/// another project's files of the same name are never taken for them.
/// </summary>
/// <param name="run">The run.</param>
sealed class FormerPaths(RunDirectory run)
{
    readonly List<ReadFile> _filesRead = ReadFileHashes(run.FileHashes);
    readonly Lazy<HashSet<string>> _recordedHashes = new(() => ReadRecordedHashes(run));

    /// <summary>The recipe with its paths absolute; one that is found nowhere is named where it would lie.</summary>
    public Recipe Resolve(Recipe recipe) => RecipePaths.Map(recipe, Resolve);

    string Resolve(string key, string path)
    {
        var isRunData = Path.GetFileName(Path.TrimEndingDirectorySeparator(path)) == Path.GetFileName(run.Data);
        if (key == "data" && isRunData && IsWhatWasRead(key, path)(run.Data))
        {
            return run.Data;
        }

        if (Path.IsPathRooted(path))
        {
            return path;
        }

        var candidates = ListFoldersAbove().Select(folder => Path.GetFullPath(path, folder));
        var found = candidates.FirstOrDefault(IsWhatWasRead(key, path)) ?? FindWhereRead(path);
        if (found is not null)
        {
            return found;
        }

        // A model may be a name: a shipped one, or one of the hub.
        var isName = key == "model" || (key == "task" && !path.EndsWith(".yaml", StringComparison.OrdinalIgnoreCase));
        return isName ? path : Path.GetFullPath(path, run.Root);
    }

    /// <summary>The run's folder, then the one it lies in, and so on to the root.</summary>
    IEnumerable<string> ListFoldersAbove()
    {
        for (var folder = RealPath.Resolve(run.Root); folder is not null; folder = Path.GetDirectoryName(folder))
        {
            yield return folder;
        }
    }

    /// <summary>
    /// Whether a candidate for a path is there and holds what the run has read from it: of data a file at least, of a
    /// model all.
    /// </summary>
    Func<string, bool> IsWhatWasRead(string key, string path)
    {
        var versions = _filesRead
            .Where(file => file.FindWithin(path) is not null)
            .ToLookup(file => file.FindWithin(path)!, StringComparer.Ordinal);
        bool IsUnchanged(string candidate, IGrouping<string, ReadFile> file) =>
            file.Any(version => version.HasContentOf(Path.Join(candidate, file.Key)));
        bool HoldsWhatWasRead(string candidate) =>
            key == "model"
                ? versions.Count > 0 && versions.All(file => IsUnchanged(candidate, file))
                : versions.Any(file => IsUnchanged(candidate, file));
        return candidate =>
            Path.Exists(candidate)
            && (_filesRead.Count == 0 ? HoldsWhatStagesRecord(candidate) : HoldsWhatWasRead(candidate));
    }

    /// <summary>
    /// Whether a file or folder holds a file that a stage was made from, where the list of files that the run has read
    /// is lost; where no stage has run yet, anything will do.
    /// </summary>
    bool HoldsWhatStagesRecord(string candidate)
    {
        if (_recordedHashes.Value.Count == 0)
        {
            return true;
        }

        var files = Directory.Exists(candidate)
            ? Directory.EnumerateDirectories(candidate).Prepend(candidate).SelectMany(Directory.EnumerateFiles)
            : [candidate];
        return files.Any(file => _recordedHashes.Value.Contains(ComputeHash(file)));
    }

    static string ComputeHash(string file)
    {
        using var stream = File.OpenRead(file);
        return StableHash.Sha256Hex(stream);
    }

    static HashSet<string> ReadRecordedHashes(RunDirectory run)
    {
        var folder = Path.GetDirectoryName(run.FileHashes)!;
        var markers = Directory.Exists(folder) ? Directory.EnumerateFiles(folder, "*.json") : [];
        return
        [
            .. markers
                .Where(file => file != run.FileHashes)
                .Select(StageMarker.Read)
                .OfType<StageMarker>()
                .SelectMany(marker => marker.Inputs)
                .Where(input => (input.Kind & InputKinds.Files) != InputKinds.None)
                .Select(input => input.Value),
        ];
    }

    /// <summary>Where a path lay when the run read it; null where it is no longer there.</summary>
    string? FindWhereRead(string path)
    {
        foreach (var file in _filesRead)
        {
            if (file.FindWithin(path) is { } within && File.Exists(file.FullPath))
            {
                return Path.TrimEndingDirectorySeparator(file.FullPath[..^within.Length]);
            }
        }

        return null;
    }

    static List<ReadFile> ReadFileHashes(string store) =>
        [.. FileHashes.Load(store).Keys.Select(ReadFile.Parse).OfType<ReadFile>()];

    /// <summary>A file that the run has read.</summary>
    /// <param name="FullPath">Where it lay.</param>
    /// <param name="Length">Its size in bytes.</param>
    /// <param name="Sample">Hash of a sample of its content.</param>
    sealed record ReadFile(string FullPath, long Length, string Sample)
    {
        /// <summary>A file by its key in the store.</summary>
        public static ReadFile? Parse(string key) =>
            key.Split('|') is [.. var path, var length, _, var sample] && long.TryParse(length, out var bytes)
                ? new(string.Join('|', path), bytes, sample)
                : null;

        /// <summary>The path from what <paramref name="path"/> named to the file; null if elsewhere.</summary>
        public string? FindWithin(string path)
        {
            var named = Path.DirectorySeparatorChar + Path.TrimEndingDirectorySeparator(Normalize(path));
            var at = FullPath.IndexOf(named + Path.DirectorySeparatorChar, StringComparison.Ordinal);
            if (at >= 0)
            {
                return FullPath[(at + named.Length + 1)..];
            }

            return FullPath.EndsWith(named, StringComparison.Ordinal) ? "" : null;
        }

        /// <summary>Whether a file has this content.</summary>
        public bool HasContentOf(string file) =>
            File.Exists(file) && new FileInfo(file).Length == Length && FileHashes.HashSample(file) == Sample;

        static string Normalize(string path)
        {
            var parts = Path.GetFullPath(path, Path.GetPathRoot(Path.GetTempPath())!);
            return parts[Path.GetPathRoot(parts)!.Length..];
        }
    }
}
