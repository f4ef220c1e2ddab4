namespace CoPe.Experiments.Runs;

/// <summary>
/// The files and folders of stages: what a rebuild or an update touches, and what an earlier one left.
/// </summary>
/// <param name="run">The run.</param>
sealed class StagePaths(RunDirectory run)
{
    /// <summary>
    /// Removes what a stage made or began, its marker first. What was worth keeping has been set aside before
    /// (<see cref="RunReplacement"/>).
    /// </summary>
    public void Discard(Stage stage) => Discard(stage, run);

    /// <summary>What a rebuild of a stage replaces: its outputs and markers, whether they exist or not.</summary>
    public IEnumerable<ReplacedPath> ListReplaced(Stage stage) =>
        GetMarkers(stage, run).Concat(GetOwnedPaths(stage)).Select(path => new ReplacedPath(path));

    /// <summary>
    /// What an update of a stage for other users edits: the parts of these, and copies of the files that hold others
    /// too.
    /// </summary>
    public IEnumerable<ReplacedPath> ListUpdated(Stage stage, UserChanges users)
    {
        List<string> ids = [.. users.New, .. users.Changed, .. users.Gone];
        return
        [
            .. GetMarkers(stage, run).Select(path => new ReplacedPath(path, IsCopied: true)),
            .. stage.GetUserOutputs(run).SelectMany(output => output.ListUserPaths(ids)),
            new(run.Checkpoints(stage.Id)),
        ];
    }

    /// <summary>Puts what an unfinished update has made in the place of what is there, the markers last.</summary>
    public void ResumeUpdate(Stage stage)
    {
        var markers = GetMarkers(stage, run).ToList();
        foreach (var place in ListUnfinishedParts(stage).Except(markers).ToList())
        {
            MoveFromUnfinished(place);
        }

        foreach (var marker in markers)
        {
            MoveFromUnfinished(marker);
        }
    }

    void MoveFromUnfinished(string place)
    {
        AtomicFile.Remove(place);
        var source = Path.Combine(run.Unfinished.Root, run.GetRelativePath(place));
        if (Path.Exists(source))
        {
            AtomicFile.Move(source, place);
        }
    }

    /// <summary>
    /// What an unfinished update has of a stage, by the places where it belongs: of folders that hold users, the
    /// users'.
    /// </summary>
    public IEnumerable<string> ListUnfinishedParts(Stage stage)
    {
        var adapters = stage
            .Outputs(run.Unfinished)
            .OfType<UserAdapters>()
            .Select(output => output.FullPath)
            .ToHashSet();
        return ListUnfinished(stage)
            .SelectMany(place =>
            {
                var source = Path.Combine(run.Unfinished.Root, run.GetRelativePath(place));
                return adapters.Contains(source)
                    ? Directory
                        .EnumerateFileSystemEntries(source)
                        .Select(path => Path.Combine(place, Path.GetFileName(path)))
                    : [place];
            });
    }

    /// <summary>What an unfinished rebuild has of a stage, by the places where it belongs in the run.</summary>
    public IEnumerable<string> ListUnfinished(Stage stage) =>
        GetMarkers(stage, run.Unfinished)
            .Concat(GetOwnedPaths(stage, run.Unfinished))
            .Where(Path.Exists)
            .Select(path => Path.Combine(run.Root, run.Unfinished.GetRelativePath(path)));

    /// <summary>Removes what an unfinished rebuild has of a stage; returns whether there was anything.</summary>
    public bool DiscardUnfinished(Stage stage)
    {
        var hasAny = ListUnfinished(stage).Any();
        if (hasAny)
        {
            Discard(stage, run.Unfinished);
        }

        return hasAny;
    }

    static void Discard(Stage stage, RunDirectory folder)
    {
        foreach (var path in GetMarkers(stage, folder).Concat(GetOwnedPaths(stage, folder)))
        {
            AtomicFile.Remove(path);
        }
    }

    /// <summary>Whether a stage is complete or begun.</summary>
    public bool HasMarker(Stage stage) => GetMarkers(stage, run).Any(File.Exists);

    static IEnumerable<string> GetMarkers(Stage stage, RunDirectory folder) =>
        [folder.Marker(stage.Id), folder.StartedMarker(stage.Id)];

    /// <summary>The files of a folder at any depth; a file itself.</summary>
    public static IEnumerable<string> ListFiles(string path) =>
        Directory.Exists(path) ? Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories) : [path];

    /// <summary>Files and folders that a stage writes.</summary>
    public IEnumerable<string> GetOwnedPaths(Stage stage) => GetOwnedPaths(stage, run);

    static IEnumerable<string> GetOwnedPaths(Stage stage, RunDirectory folder) =>
        stage
            .Outputs(folder)
            .Select(output => output.FullPath)
            .Append(folder.Checkpoints(stage.Id))
            .Append(folder.Metrics(stage.Id)) // of many stages an output as well
            .Distinct();

    /// <summary>
    /// How long a session that was killed had worked: from the marker at its beginning to the last file it wrote. Where
    /// it ended in order, the marker is younger than all it wrote.
    /// </summary>
    public TimeSpan GetUnrecordedTime(Stage stage)
    {
        var recorded = File.GetLastWriteTimeUtc(run.StartedMarker(stage.Id));
        var latest = GetOwnedPaths(stage)
            .SelectMany(ListFiles)
            .Where(File.Exists)
            .Select(File.GetLastWriteTimeUtc)
            .DefaultIfEmpty(recorded)
            .Max();
        return latest > recorded ? latest - recorded : TimeSpan.Zero;
    }

    /// <summary>The files that a stage wrote, from the run's folder, with their bytes.</summary>
    public SortedDictionary<string, long> GetOutputSizes(Stage stage)
    {
        var sizes = stage
            .Outputs(run)
            .SelectMany(output => ListFiles(output.FullPath))
            .ToDictionary(run.GetRelativePath, file => new FileInfo(file).Length);
        return new(sizes, StringComparer.Ordinal);
    }
}
