namespace CoPe.Experiments.Runs.Erasure;

/// <summary>
/// Finds what may be a user's and cannot be told for certain, so that it is named and left: their texts of fewer
/// letters than identify anybody in files that no stage wrote, and users of the same id in data of other tasks.
/// </summary>
/// <param name="pipeline">The stages.</param>
/// <param name="run">The run.</param>
/// <param name="data">Its data folders.</param>
/// <param name="remaining">The files in its folder.</param>
/// <param name="cancellation">Ends the search.</param>
sealed class DoubtfulFiles(
    Pipeline pipeline,
    RunDirectory run,
    RunDataFolders data,
    RemainingTexts remaining,
    CancellationToken cancellation
)
{
    /// <summary>Each with what it has of the users, while the data still tell their texts.</summary>
    public IEnumerable<string> Find(IReadOnlyList<UserIdentity> users)
    {
        var ids = users.Select(user => user.Id).ToHashSet();
        foreach (var (folder, id) in data.FindInOtherTasks(ids))
        {
            var what = id is null ? "cannot be read" : $"has a user {id}, of another task";
            yield return $"{run.GetRelativePath(folder)} ({what})";
        }

        var others = ListFilesOfNoStage(users).ToList();
        if (others.Count == 0)
        {
            yield break;
        }

        var unknown = users.Where(user => !user.AreTextsKnown).Select(user => user.Id).ToList();
        var shared = remaining.ReadRemainingUsers().SelectMany(UserIdentity.ListTexts).Select(text => text.Trim());
        var texts = users.SelectMany(user => user.ShortTexts).Except(shared).ToList();
        var search = texts.Count == 0 ? null : new TextSearch(texts, isOfWords: true, cancellation);
        foreach (var file in others)
        {
            var path = run.GetRelativePath(file);
            if (unknown.Count > 0)
            {
                yield return $"{path} (not searched for texts of {string.Join(", ", unknown)}, which no data hold now)";
            }
            else if (search?.FindInFile(file, out _) is { } text)
            {
                yield return $"{path} (has \"{text}\", which is too short to tell whose it is)";
            }
        }
    }

    /// <summary>Files that are in no stage's outputs and no records of the run.</summary>
    IEnumerable<string> ListFilesOfNoStage(IReadOnlyList<UserIdentity> users)
    {
        var known = run.RecordFiles.ToHashSet();
        List<string> folders = [run.AddedUsers, .. run.ChildRuns().Select(child => child.Root)];
        foreach (var stage in pipeline.Stages)
        {
            known.Add(run.Marker(stage.Id));
            known.Add(run.StartedMarker(stage.Id));
            known.UnionWith(stage.GetUserOutputs(run).Select(output => output.FullPath));
            if (StageMarker.Read(run.Marker(stage.Id)) is { } marker)
            {
                known.UnionWith(marker.Outputs.Keys.Select(path => Path.GetFullPath(path, run.Root)));
            }
            else
            {
                // What it has written so far.
                folders.AddRange(stage.GetUserOutputs(run).Select(output => output.FullPath));
            }
        }

        return remaining
            .ListFilesBesideData(users)
            .Where(file => !known.Contains(file) && !folders.Exists(folder => IsWithin(file, folder)));
    }

    static bool IsWithin(string file, string folder) =>
        file.StartsWith(folder + Path.DirectorySeparatorChar, StringComparison.Ordinal);
}
