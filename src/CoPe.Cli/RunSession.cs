using CoPe.Cli.Display;
using CoPe.Cli.Hub;
using CoPe.Data.Samples;
using CoPe.Runs;
using CoPe.Runs.Privacy;
using CoPe.Runs.Recipes;
using Microsoft.Extensions.Logging;

namespace CoPe.Cli;

/// <summary>Opens a run, does some of its stages with progress shown, and closes it.</summary>
sealed class RunSession(CommandHost host, RunRequest request)
{
    /// <summary>Does the work under the run's lock; returns the context for what is shown afterwards.</summary>
    public StageContext Work(Action<Pipeline, StageContext> work, Action<RunDirectory>? prepare = null)
    {
        var (file, run) = request.Locate(host);
        var recipe = Recipe.Read(file, request.Overrides);
        using var held = RunLock.Take(run);
        ErasureNote.RequireNone(run);
        prepare?.Invoke(run);
        var inputs = InputPaths.Find(recipe, host.Roots, model => ModelSource.Find(host, model, request.IsQuiet));
        if (recipe.Model == Recipe.EmbeddedModel && !SampleData.IsSample(inputs.Data))
            host.Error.WriteLine($"cope: {recipe.Model} knows only the invented world of 'cope data sample' and writes nonsense about any other: name a model with --model, a folder or org/name on the hub");
        using var stop = new CheckpointRequest(run, host.Time, host.Cancellation);
        using var shared = new SharedResources();
        using var display = RunDisplay.For(host, request, [.. host.Pipeline.Stages.Where(stage => stage.IsIn(recipe)).Select(stage => stage.Name)]);
        var context = new StageContext
        {
            Recipe = recipe, Run = run, Inputs = inputs, Shared = shared, Progress = display, Events = display, Log = display,
            Time = host.Time, Cancellation = stop.Token, Restarts = request.Restarts,
        };
        using var stopping = stop.Token.Register(() => display.LogInformation("stopping; what is done is being saved (again to end at once)"));
        display.Show(() => work(host.Pipeline, context));
        return context;
    }

    /// <summary>Asks whether the run would go on with the data of another folder, and does nothing.</summary>
    /// <exception cref="RunException">It would not.</exception>
    public void Judge(string data)
    {
        var (file, run) = request.Locate(host);
        var recipe = Recipe.Read(file, request.Overrides);
        using var shared = new SharedResources();
        var inputs = InputPaths.Find(recipe with { Data = data }, host.Roots, model => ModelSource.Find(host, model, request.IsQuiet));
        host.Pipeline.Judge(new() { Recipe = recipe, Run = run, Inputs = inputs, Shared = shared, Time = host.Time, Restarts = request.Restarts });
    }

    /// <summary>The run as it stands, without doing anything.</summary>
    public T Look<T>(Func<StageContext, T> look)
    {
        var (file, run) = request.Locate(host);
        var recipe = Recipe.Read(file, request.Overrides);
        using var shared = new SharedResources();
        return look(new() { Recipe = recipe, Run = run, Inputs = InputPaths.Find(recipe, host.Roots, model => ModelSource.FindHere(host, model)), Shared = shared, Time = host.Time });
    }

    /// <summary>The run as it stands, whether or not its model, data and task file are still there; with <paramref name="isHeld"/> under its lock.</summary>
    public OpenRun Open(bool isHeld)
    {
        var (file, run) = request.Locate(host);
        var recipe = Recipe.Read(file, request.Overrides);
        var inputs = InputPaths.FindLeft(recipe, host.Roots, model => ModelSource.FindHere(host, model));
        return new(recipe, run, inputs, host, isHeld);
    }
}
