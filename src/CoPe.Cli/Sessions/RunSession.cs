using CoPe.Cli.Display;
using CoPe.Cli.Hosting;
using CoPe.Experiments.Data.Samples;
using CoPe.Experiments.Runs;
using CoPe.Experiments.Runs.Recipes;
using Microsoft.Extensions.Logging;

namespace CoPe.Cli.Sessions;

/// <summary>Opens a run, does some of its stages with progress shown, and closes it.</summary>
sealed class RunSession(CommandHost host, RunRequest request)
{
    /// <summary>Runs stages under the run's lock; returns the context, from which the results are shown.</summary>
    public StageContext Execute(Action<Pipeline, StageContext> work, Action<RunDirectory>? prepare = null)
    {
        var (file, run) = request.Locate(host);
        var recipe = Recipe.Read(file, request.Overrides);
        using var runLock = RunLock.Acquire(run);
        ErasureJournal.ThrowIfInterrupted(run);
        prepare?.Invoke(run);
        var inputs = InputPaths.Find(
            recipe,
            host.SearchFolders,
            model => ModelSource.Find(host, model, request.IsQuiet)
        );
        if (recipe.Model == Recipe.EmbeddedModel && !SampleData.IsSample(inputs.Data))
        {
            host.WriteMessage(
                $"{recipe.Model} knows only the invented world of 'cope data sample' and writes nonsense about any "
                    + "other: name a model with --model, a folder or org/name on the hub"
            );
        }

        using var stop = new CheckpointFileWatcher(run, host.Time, host.Cancellation);
        using var display = RunDisplay.Create(
            host,
            request,
            [.. host.Pipeline.SelectStages(recipe).Select(stage => stage.Name)]
        );
        using var workspace = new RunWorkspace(recipe, run, inputs, display);
        var context = new StageContext
        {
            Workspace = workspace,
            Progress = display,
            Events = display,
            Log = display,
            Time = host.Time,
            Cancellation = stop.Token,
            AllowCostlyRebuild = request.AllowCostlyRebuild,
        };
        using var stopping = stop.Token.Register(() =>
            display.LogInformation("stopping; what is done is being saved (again to end at once)")
        );
        display.ShowWhile(() => work(host.Pipeline, context));
        return context;
    }

    /// <summary>Checks that the run would accept the data of another folder, and changes nothing.</summary>
    /// <exception cref="RunException">It would not.</exception>
    public void CheckWouldRebuild(string data)
    {
        var (file, run) = request.Locate(host);
        var recipe = Recipe.Read(file, request.Overrides);
        var inputs = InputPaths.Find(
            recipe with
            {
                Data = data,
            },
            host.SearchFolders,
            model => ModelSource.Find(host, model, request.IsQuiet)
        );
        using var workspace = new RunWorkspace(recipe, run, inputs);
        host.Pipeline.CheckWouldRebuild(
            new()
            {
                Workspace = workspace,
                Time = host.Time,
                AllowCostlyRebuild = request.AllowCostlyRebuild,
            }
        );
    }

    /// <summary>Reads from the run as it is, without running a stage.</summary>
    public T Inspect<T>(Func<StageContext, T> read)
    {
        var (file, run) = request.Locate(host);
        var recipe = Recipe.Read(file, request.Overrides);
        var inputs = InputPaths.Find(recipe, host.SearchFolders, model => ModelSource.FindLocal(host, model));
        using var workspace = new RunWorkspace(recipe, run, inputs);
        return read(new() { Workspace = workspace, Time = host.Time });
    }

    /// <summary>
    /// Opens the run as it is, whether or not its model, data and task file are still there; with
    /// <paramref name="takesLock"/> under its lock.
    /// </summary>
    public OpenedRun Open(bool takesLock)
    {
        var (file, run) = request.Locate(host);
        var recipe = Recipe.Read(file, request.Overrides);
        var inputs = InputPaths.FindAvailable(recipe, host.SearchFolders, model => ModelSource.FindLocal(host, model));
        return new(recipe, run, inputs, host, takesLock);
    }
}

/// <summary>A run that is read or changed without running its stages.</summary>
sealed class OpenedRun : IDisposable
{
    readonly RunWorkspace _workspace;
    readonly RunLock? _runLock;

    public OpenedRun(Recipe recipe, RunDirectory run, InputPaths inputs, CommandHost host, bool takesLock)
    {
        _runLock = takesLock ? RunLock.Acquire(run) : null;
        _workspace = new(recipe, run, inputs);
        Context = new()
        {
            Workspace = _workspace,
            Time = host.Time,
            Cancellation = host.Cancellation,
        };
    }

    /// <summary>The context of its stages.</summary>
    public StageContext Context { get; }

    public void Dispose()
    {
        _workspace.Dispose();
        _runLock?.Dispose();
    }
}

/// <summary>
/// Watches for the file <c>checkpoint-now</c> in a run's folder, which makes the run save everything and stop: a
/// request from where no signal can be sent.
/// </summary>
sealed class CheckpointFileWatcher : IDisposable
{
    static readonly TimeSpan PollInterval = TimeSpan.FromSeconds(1);

    readonly string _file;
    readonly CancellationTokenSource _cancellationSource;
    readonly ITimer _timer;

    /// <summary>Starts to watch; deletes an earlier file, which is no request to this process.</summary>
    public CheckpointFileWatcher(RunDirectory run, TimeProvider time, CancellationToken cancellation)
    {
        _file = run.CheckpointNow;
        File.Delete(_file);
        _cancellationSource = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        _timer = time.CreateTimer(_ => CheckFile(), null, PollInterval, PollInterval);
    }

    /// <summary>Canceled by the file, or with the constructor's token.</summary>
    public CancellationToken Token => _cancellationSource.Token;

    void CheckFile()
    {
        if (!File.Exists(_file))
        {
            return;
        }

        File.Delete(_file);
        _cancellationSource.Cancel();
    }

    public void Dispose()
    {
        _timer.Dispose();
        _cancellationSource.Dispose();
    }
}
