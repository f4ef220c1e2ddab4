namespace CoPe.Data;

/// <summary>Tells how far work on data is, and ends it where that is asked for.</summary>
/// <param name="Listener">Who is told; nobody by default.</param>
/// <param name="Cancellation">Asks for an early end.</param>
sealed record DataProgress(IProgress<StageProgress>? Listener = null, CancellationToken Cancellation = default)
{
    const long MegaByte = 1_000_000;

    /// <summary>Tells how much of a file was read.</summary>
    public void Read(string stage, string path, long bytes, long length) => Tell(stage, bytes / MegaByte, Math.Max(1, length / MegaByte), "MB of " + Path.GetFileName(path));

    /// <summary>Tells how much was done.</summary>
    /// <exception cref="OperationCanceledException">The end was asked for.</exception>
    public void Tell(string stage, long done, long total, string unit)
    {
        Cancellation.ThrowIfCancellationRequested();
        Listener?.Report(new() { Stage = stage, Done = done, Total = total, Unit = unit });
    }
}
