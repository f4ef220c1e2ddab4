using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Runs;

/// <summary>
/// A task file's path among the inputs of stages. The file counts by its content, wherever it lies; so that a run which
/// is moved stays current, its path counts as the run's markers have it, and in a new run as the file's name.
/// </summary>
sealed class RecordedTaskPath(Pipeline pipeline, RunDirectory run)
{
    const string Key = "task";

    readonly Lazy<string?> _recorded = new(() =>
        pipeline
            .Stages.Select(stage =>
                StageMarker.Read(run.Marker(stage.Id)) ?? StageMarker.Read(run.StartedMarker(stage.Id))
            )
            .OfType<StageMarker>()
            .SelectMany(marker => marker.Inputs)
            .FirstOrDefault(input => input.Kind == InputKinds.Recipe && input.Name == Key && IsPath(input.Value))
            ?.Value
    );

    /// <summary>The value of a key of the recipe as it counts among the inputs.</summary>
    public string GetInput(string key, string value) =>
        key == Key && IsPath(value) ? _recorded.Value ?? Path.GetFileName(value.Trim('"')) : value;

    static bool IsPath(string value) => TaskFile.IsPath(value.Trim('"'));
}
