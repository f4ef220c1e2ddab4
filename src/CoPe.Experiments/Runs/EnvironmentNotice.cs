using Microsoft.Extensions.Logging;

namespace CoPe.Experiments.Runs;

/// <summary>
/// Says where stages are about to run in another environment than the run's first stage was made in.
/// </summary>
static class EnvironmentNotice
{
    /// <summary>Warns of what differs; says nothing where nothing does, or nothing was made yet.</summary>
    public static void Report(Pipeline pipeline, StageContext context)
    {
        var begun = pipeline
            .Stages.Select(stage =>
                StageMarker.Read(context.Run.Marker(stage.Id)) ?? StageMarker.Read(context.Run.StartedMarker(stage.Id))
            )
            .Select(marker => marker?.Environments is [var first, ..] ? first : null)
            .FirstOrDefault(environment => environment is not null);
        if (begun?.FindChanges(context.Environment) is { Count: > 0 } changes)
        {
            context.Log.LogWarning(
                "{Run} was begun in another environment: {Changes}; its manifest records both",
                context.Run.Name,
                EnvironmentChange.Describe(changes)
            );
        }
    }
}
