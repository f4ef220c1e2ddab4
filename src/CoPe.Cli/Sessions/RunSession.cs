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
    /// <param name="work">Runs the stages.</param>
    /// <param name="writeData">
    /// Writes the run's own data into the folder given. They take the place of those that are there once everything
    /// that the stages read is checked, and only where they differ.
    /// </param>
    public StageContext Execute(Action<Pipeline, StageContext> work, Action<string>? writeData = null)
    {
        BringBackInterrupted();
        var resolved = ResolvedRun.Read(host, request);
        var (recipe, run) = (resolved.Recipe, resolved.Run);
        using var runLock = RunLock.Acquire(run);
        ErasureJournal.ThrowIfInterrupted(run);
        using var incoming = writeData is null ? null : new IncomingData(run, writeData);
        var inputs = resolved.FindInputs(incoming?.Folder ?? recipe.Data, request.IsQuiet);
        if (IsEmbedded(inputs.Model) && !SampleData.IsSample(inputs.Data))
        {
            host.WriteMessage(
                $"{Recipe.EmbeddedModel} knows only the invented world of 'cope data sample' and writes nonsense about "
                    + "any other: name a model with --model, a folder or org/name on the hub"
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
            IncomingData = incoming?.Folder,
            Command = host.CommandText,
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
        runLock.ThrowIfLost();
        return context;
    }

    static bool IsEmbedded(string model) =>
        model.Replace('\\', '/').EndsWith("/" + Recipe.EmbeddedModel, StringComparison.Ordinal);

    /// <summary>Checks what the stages of the recipe read; changes nothing.</summary>
    public void CheckInputs()
    {
        var resolved = ResolvedRun.Read(host, request);
        var inputs = resolved.FindInputs(resolved.Recipe.Data, request.IsQuiet);
        using var workspace = new RunWorkspace(resolved.Recipe, resolved.Run, inputs);
        host.Pipeline.CheckInputs(new() { Workspace = workspace, Time = host.Time });
    }

    /// <summary>Reads from the run as it is, without running a stage.</summary>
    /// <param name="read">Reads.</param>
    /// <param name="duringChange">
    /// Reads also while another process rebuilds the run, or after an erasure in it was interrupted.
    /// </param>
    /// <exception cref="RunException">It is neither as before a change nor as after it.</exception>
    public T Inspect<T>(Func<StageContext, T> read, bool duringChange = false)
    {
        BringBackInterrupted(duringChange);
        if (!duringChange && request.FindFolder(host) is { } run)
        {
            ErasureJournal.ThrowIfInterrupted(run);
        }

        var resolved = ResolvedRun.Read(host, request);
        using var workspace = new RunWorkspace(resolved.Recipe, resolved.Run, resolved.FindLocalInputs());
        return read(new() { Workspace = workspace, Time = host.Time });
    }

    /// <summary>
    /// Opens the run as it is, whether or not its model, data and task file are still there; with
    /// <paramref name="takesLock"/> under its lock.
    /// </summary>
    public OpenedRun Open(bool takesLock)
    {
        BringBackInterrupted();
        var resolved = ResolvedRun.Read(host, request);
        return new(resolved.Recipe, resolved.Run, resolved.FindAvailableInputs(), host, takesLock);
    }

    /// <summary>Before the recipe is read, which a killed rebuild may have replaced.</summary>
    void BringBackInterrupted(bool duringChange = false)
    {
        if (request.FindFolder(host) is not { } run)
        {
            return;
        }

        try
        {
            InterruptedRebuild.BringBack(host, run);
            RenamedUsers.Rename(host, run);
        }
        catch (RunException error) when (duringChange && error.InnerException is RunException)
        {
            host.WriteMessage($"{run.Name} is being rebuilt by another process");
        }
    }
}

/// <summary>
/// Data that a verb has written for a run and that wait for the run to take them; what is not taken is removed.
/// </summary>
sealed class IncomingData : IDisposable
{
    readonly RunDirectory _run;

    public IncomingData(RunDirectory run, Action<string> write)
    {
        _run = run;
        AtomicFile.Remove(run.Incoming);
        try
        {
            Directory.CreateDirectory(run.IncomingData);
            write(run.IncomingData);
        }
        catch
        {
            Dispose();
            throw;
        }

        Folder = HasSameFiles(run.IncomingData, run.Data) ? null : run.IncomingData;
    }

    /// <summary>Where they wait; null where the run has the same already.</summary>
    public string? Folder { get; }

    public void Dispose() => AtomicFile.Remove(_run.Incoming);

    static bool HasSameFiles(string one, string other)
    {
        if (!Directory.Exists(other))
        {
            return false;
        }

        var files = ListFiles(one);
        return files.SequenceEqual(ListFiles(other))
            && files.All(file =>
                File.ReadAllBytes(Path.Combine(one, file))
                    .AsSpan()
                    .SequenceEqual(File.ReadAllBytes(Path.Combine(other, file)))
            );
    }

    static List<string> ListFiles(string folder) =>
        [
            .. Directory
                .EnumerateFiles(folder, "*", SearchOption.AllDirectories)
                .Select(file => Path.GetRelativePath(folder, file))
                .Order(StringComparer.Ordinal),
        ];
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
