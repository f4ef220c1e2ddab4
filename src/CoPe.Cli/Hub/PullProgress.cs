using CoPe.Runs;

namespace CoPe.Cli.Hub;

/// <summary>Adds up the bytes of files that come in at the same time, and tells how far they are.</summary>
sealed class PullProgress(IProgress<StageProgress> shown, TimeProvider time)
{
    /// <summary>The stage under which a download is shown.</summary>
    public const string Stage = "download";

    readonly Lock gate = new();
    readonly long began = time.GetTimestamp();
    long total;
    long done;
    long received;

    /// <summary>So much more is to come.</summary>
    public void Expect(long bytes)
    {
        lock (gate) total += bytes;
    }

    /// <summary>So much was here already; negative where it turned out to be unusable.</summary>
    public void Found(long bytes)
    {
        lock (gate) done += bytes;
    }

    /// <summary>So much came in.</summary>
    public void Received(long bytes)
    {
        lock (gate)
        {
            done += bytes;
            received += bytes;
            var (unit, size) = total < 10_000_000 ? ("kB", 1e3) : ("MB", 1e6);
            shown.Report(new()
            {
                Stage = Stage, Done = (long)(done / size), Total = (long)Math.Ceiling(total / size), Unit = unit,
                Figures = new Dictionary<string, double> { ["MB/s"] = received / 1e6 / Math.Max(1e-3, time.GetElapsedTime(began).TotalSeconds) },
            });
        }
    }
}
