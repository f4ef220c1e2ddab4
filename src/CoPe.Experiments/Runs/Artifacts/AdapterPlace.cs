namespace CoPe.Experiments.Runs.Artifacts;

/// <summary>An adapter's folder that is part of a run, found by where it lies.</summary>
/// <param name="Run">The run.</param>
/// <param name="Stage">The stage that made it.</param>
/// <param name="Name">The folder's own name.</param>
sealed record AdapterPlace(RunDirectory Run, StageId Stage, string Name)
{
    /// <summary>The run that a folder is part of; null where it is part of none.</summary>
    public static AdapterPlace? Find(string folder)
    {
        var full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        if (Path.GetDirectoryName(full) is not { } parent || Path.GetDirectoryName(parent) is not { } root)
        {
            return null;
        }

        var run = new RunDirectory(root);
        var stage =
            full == run.TamAdapter ? StageId.TrainTam
            : full == run.TamAllAdapter ? StageId.TrainTamAll
            : parent == run.SftAdapters ? StageId.TrainSft
            : parent == run.DpoAdapters ? StageId.TrainDpo
            : null;
        return stage is not null && File.Exists(run.Recipe) ? new(run, stage, Path.GetFileName(full)) : null;
    }

    /// <summary>Whether the adapter is a user's, which stands on that of the task-adaptive model.</summary>
    public bool IsUsers => Stage.Kind is StageKind.TrainSft or StageKind.TrainDpo;
}
