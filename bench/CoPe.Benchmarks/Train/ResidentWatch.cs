namespace CoPe.Benchmarks.Train;

/// <summary>Looks at the process's resident memory a hundred times a second and remembers the most, from mapped files and of its own. Linux only.</summary>
sealed class ResidentWatch : IDisposable
{
    readonly CancellationTokenSource stop = new();
    readonly Thread thread;
    double total, mapped, anonymous;

    public ResidentWatch()
    {
        thread = new Thread(() =>
        {
            do Look();
            while (!stop.Token.WaitHandle.WaitOne(10));
        })
        { IsBackground = true, Name = "resident memory" };
        thread.Start();
    }

    /// <summary>MB at most: altogether, of mapped files (which the system may take back at any time), and anonymous.</summary>
    public (double Total, double Mapped, double Anonymous) Stop()
    {
        stop.Cancel();
        thread.Join();
        return (total, mapped, anonymous);
    }

    void Look()
    {
        var (file, own) = (Clock.Status("RssFile:"), Clock.Status("RssAnon:"));
        (total, mapped, anonymous) = (Math.Max(total, (file + own) / 1024), Math.Max(mapped, file / 1024), Math.Max(anonymous, own / 1024));
    }

    public void Dispose()
    {
        stop.Cancel();
        thread.Join();
        stop.Dispose();
    }
}
