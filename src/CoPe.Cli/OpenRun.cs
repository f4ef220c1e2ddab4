using CoPe.Runs;
using CoPe.Runs.Recipes;

namespace CoPe.Cli;

/// <summary>A run that is looked at or changed without doing its stages.</summary>
sealed class OpenRun : IDisposable
{
    readonly SharedResources shared = new();
    readonly RunLock? held;

    public OpenRun(Recipe recipe, RunDirectory run, InputPaths inputs, CommandHost host, bool isHeld)
    {
        held = isHeld ? RunLock.Take(run) : null;
        Context = new() { Recipe = recipe, Run = run, Inputs = inputs, Shared = shared, Time = host.Time, Cancellation = host.Cancellation };
    }

    /// <summary>What its stages would be given.</summary>
    public StageContext Context { get; }

    public void Dispose()
    {
        shared.Dispose();
        held?.Dispose();
    }
}
