namespace CoPe.Experiments.Runs;

/// <summary>
/// What a command does after a stage's marker says that it is complete: the records that follow it, and what is left of
/// the work. Where a command was stopped in between, the next one makes up for it.
/// </summary>
static class RunRecords
{
    /// <summary>
    /// Removes what complete stages have left of their work (checkpoints, the marker of their beginning, files that
    /// were written aside) and writes the manifest where it does not name the stages that are complete.
    /// </summary>
    public static void Complete(Pipeline pipeline, StageContext context)
    {
        var run = context.Run;
        var markers = pipeline
            .Stages.Select(stage => (Stage: stage, Marker: StageMarker.Read(run.Marker(stage.Id))))
            .Where(stage => stage.Marker is not null)
            .ToList();
        foreach (var (stage, _) in markers)
        {
            RemoveWork(run, stage);
        }
        RemoveAside(run.Recipe);
        RemoveAside(run.FileHashes);
        RemoveAside(run.Manifest);
        if (markers.Count > 0 && !IsManifestOf([.. markers.Select(stage => stage.Marker!.Hash)], run))
        {
            RunManifest.Create(pipeline, context).Write(run.Manifest);
        }
        context.Workspace.Hashes.Save(); // those of files that were first read while stages ran
    }

    static void RemoveWork(RunDirectory run, Stage stage)
    {
        RemoveIfThere(run.StartedMarker(stage.Id));
        RemoveIfThere(run.Checkpoints(stage.Id));
        RemoveAside(run.Marker(stage.Id));
        RemoveAside(run.StartedMarker(stage.Id));
        RemoveAside(run.Metrics(stage.Id));
        foreach (var temporary in stage.Outputs(run).SelectMany(output => output.ListTemporary()).ToList())
        {
            RemoveIfThere(temporary);
        }
    }

    static void RemoveAside(string path) => RemoveIfThere(AtomicFile.GetAside(path));

    static void RemoveIfThere(string path)
    {
        if (Path.Exists(path))
        {
            AtomicFile.Remove(path);
        }
    }

    static bool IsManifestOf(string[] hashes, RunDirectory run)
    {
        if (!File.Exists(run.Manifest))
        {
            return false;
        }
        try
        {
            return RunManifest.Read(run.Manifest).Stages.Select(stage => stage.Hash).SequenceEqual(hashes);
        }
        catch (RunException)
        {
            return false; // It is damaged, and is written again.
        }
    }
}
