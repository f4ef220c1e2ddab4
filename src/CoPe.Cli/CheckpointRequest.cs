using CoPe.Runs;

namespace CoPe.Cli;

/// <summary>Watches for the file <c>checkpoint-now</c> in a run's folder: whoever cannot send a signal makes it to have the run save everything and stop.</summary>
sealed class CheckpointRequest : IDisposable
{
    static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    readonly string file;
    readonly CancellationTokenSource source;
    readonly ITimer timer;

    /// <summary>Begins to watch; a file from before is no request to this process and goes.</summary>
    public CheckpointRequest(RunDirectory run, TimeProvider time, CancellationToken cancellation)
    {
        file = run.CheckpointNow;
        File.Delete(file);
        source = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        timer = time.CreateTimer(_ => Look(), null, Pause, Pause);
    }

    /// <summary>Cancelled by the file, or with the token given.</summary>
    public CancellationToken Token => source.Token;

    void Look()
    {
        if (!File.Exists(file)) return;
        File.Delete(file);
        source.Cancel();
    }

    public void Dispose()
    {
        timer.Dispose();
        source.Dispose();
    }
}
