namespace CoPe.Experiments.Runs;

/// <summary>
/// Markers that are there and cannot be read. Nobody knows what a stage with one was made from, so that it is neither
/// complete nor one that has not run, and what it made is not thrown away unasked.
/// </summary>
static class DamagedMarkers
{
    /// <summary>
    /// What is damaged of a stage, with its path within the run; null where there is no marker or it can be read.
    /// </summary>
    public static string? Describe(RunDirectory run, Stage stage)
    {
        // Beside the marker of a complete stage, that of its beginning says nothing.
        var path = Path.Exists(run.Marker(stage.Id)) ? run.Marker(stage.Id) : run.StartedMarker(stage.Id);
        return StageMarker.FindProblem(path) is { } problem ? Describe(run, path, problem) : null;
    }

    /// <summary>A stage whose marker is damaged.</summary>
    /// <param name="run">The run.</param>
    /// <param name="stage">The stage.</param>
    /// <param name="path">The marker.</param>
    /// <param name="problem">What is wrong with it.</param>
    public static StageStatus CreateStatus(RunDirectory run, Stage stage, string path, string problem)
    {
        var made = new StagePaths(run).GetOwnedPaths(stage).SelectMany(StagePaths.ListFiles);
        var seconds = made.Any(File.Exists) ? RunManifest.FindSeconds(run.Manifest, stage.Name) : 0;
        return new(stage.Id, StageState.Stale, [Describe(run, path, problem)])
        {
            TimeSpent = TimeSpan.FromSeconds(seconds ?? 0),
            IsTimeUnknown = seconds is null,
        };
    }

    /// <summary>
    /// Checks that every marker can be read before an erasure, which would take what a stage has made for others for
    /// something that is to be made again.
    /// </summary>
    /// <exception cref="RunException">One cannot.</exception>
    public static void Refuse(RunDirectory run, IEnumerable<Stage> stages)
    {
        foreach (var stage in stages)
        {
            foreach (var path in (string[])[run.Marker(stage.Id), run.StartedMarker(stage.Id)])
            {
                if (StageMarker.FindProblem(path) is { } problem)
                {
                    throw RunJson.CreateDamagedError(path, problem, GetAdvice(run, stage));
                }
            }
        }
    }

    /// <summary>Checks that what an unfinished rebuild has of a stage can be told, before it is thrown away.</summary>
    /// <exception cref="RunException">It cannot.</exception>
    public static void RefuseUnfinished(RunDirectory run, Stage stage)
    {
        if (Describe(run.Unfinished, stage) is { } damage)
        {
            throw new RunException(
                $"{run.Unfinished.Name}/{damage}, and what an earlier rebuild had made of '{stage.Name}' cannot be "
                    + "resumed: restore the file, or throw that work away with --restart (in a stage's own verb "
                    + "--again)"
            );
        }
    }

    static string Describe(RunDirectory run, string path, string problem) =>
        $"{run.GetRelativePath(path)} is damaged ({problem})";

    static string GetAdvice(RunDirectory run, Stage stage) =>
        File.Exists(run.PendingErasure)
            ? $"restore it from a copy, or delete it, and '{stage.Name}' with what is built on it is made again later; "
                + "then repeat the command"
            : $"restore it from a copy, or make '{stage.Name}' again ('cope run --run {run.Name}', or the stage's own "
                + "verb); then repeat the command";
}
