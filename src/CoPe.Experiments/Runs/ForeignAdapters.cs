using CoPe.Adapters;

namespace CoPe.Experiments.Runs;

/// <summary>Adapters that a person has put where a stage writes its own.</summary>
static class ForeignAdapters
{
    /// <summary>Refuses to run a stage that would overwrite one.</summary>
    /// <exception cref="RunException">It would.</exception>
    public static void Refuse(Stage stage, RunDirectory run)
    {
        if (Find(stage, run) is not [var folder, ..])
        {
            return;
        }

        var key = stage.Id.Kind == StageKind.TrainTam ? "tam.adapter" : "users.adapters";
        throw new RunException(
            $"{Path.Combine(run.Name, run.GetRelativePath(folder))} holds an adapter that '{stage.Name}' did not make "
                + $"and would overwrite: move it out of the run; a run takes adapters made elsewhere by the key {key}, "
                + $"for example --set {key}=FOLDER"
        );
    }

    /// <summary>Folders of adapters among a stage's outputs that the stage did not make.</summary>
    static List<string> Find(Stage stage, RunDirectory run)
    {
        var marker = StageMarker.Read(run.Marker(stage.Id));
        if (marker is null && (Path.Exists(run.Marker(stage.Id)) || Path.Exists(run.StartedMarker(stage.Id))))
        {
            return []; // Its own, from before it was interrupted or its marker was damaged.
        }

        var recorded = marker?.Outputs ?? [];
        return
        [
            .. stage
                .Outputs(run)
                .SelectMany(output => output.ListAdapterFolders())
                .Where(folder => IsForeign(run, Path.Combine(folder, AdapterFile.WeightsFileName), recorded))
                .Order(StringComparer.Ordinal),
        ];
    }

    /// <summary>A file that the stage did not record, or that is whole and has another size than it recorded.</summary>
    static bool IsForeign(RunDirectory run, string weights, SortedDictionary<string, long> recorded)
    {
        if (!File.Exists(weights))
        {
            return false;
        }

        var isRecorded = recorded.TryGetValue(run.GetRelativePath(weights), out var size);
        return !isRecorded || (new FileInfo(weights).Length != size && AdapterFile.HasWholeWeights(weights));
    }
}
