using CoPe.Runs;

namespace CoPe.Cli.Display;

/// <summary>A stage as it is shown: where it stands, since when, and its last figures.</summary>
sealed class StageRow(string name, TimeProvider time)
{
    long began;
    long first;
    StageProgress? firstProgress;

    public string Name { get; } = name;

    /// <summary>What happened last; null while it waits.</summary>
    public StageEventKind? State { get; private set; }

    public StageProgress? Last { get; private set; }

    /// <summary>Time at work in this sitting.</summary>
    public TimeSpan Elapsed { get; private set; }

    public bool IsAtWork => State is StageEventKind.Began or StageEventKind.WentOn;

    /// <summary>Time left at the pace of this sitting; null while there is none.</summary>
    public TimeSpan? Left => Last is { } last && firstProgress is { } from && last.Done > from.Done
        ? time.GetElapsedTime(first) * ((last.Total - last.Done) / (double)(last.Done - from.Done))
        : null;

    public void Take(StageEventKind kind)
    {
        State = kind;
        if (IsAtWork) began = time.GetTimestamp();
        else if (kind != StageEventKind.Skipped) Elapsed = time.GetElapsedTime(began);
    }

    public void Take(StageProgress progress)
    {
        Last = progress;
        Elapsed = time.GetElapsedTime(began);
        if (firstProgress is not null && firstProgress.Total == progress.Total && firstProgress.Done <= progress.Done) return;
        firstProgress = progress;
        first = time.GetTimestamp();
    }
}
