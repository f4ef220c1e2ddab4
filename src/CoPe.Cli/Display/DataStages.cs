using CoPe.Runs;

namespace CoPe.Cli.Display;

/// <summary>Shows work on data: a stage begins when it first tells of itself, and ends when the next one does. Where progress is lines, work that is soon done says nothing.</summary>
sealed class DataStages : IProgress<StageProgress>
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    readonly RunDisplay display;
    readonly CommandHost host;
    readonly long began;
    string? current;

    DataStages(RunDisplay display, CommandHost host) => (this.display, this.host, began) = (display, host, host.Time.GetTimestamp());

    /// <summary>Does the work with its stages shown.</summary>
    public static T Show<T>(CommandHost host, string[] stages, Func<IProgress<StageProgress>, T> work)
    {
        using var display = RunDisplay.For(host, new RunRequest(), stages);
        var shown = new DataStages(display, host);
        T result = default!;
        display.Show(() =>
        {
            try
            {
                result = work(shown);
                shown.End(StageEventKind.Finished);
            }
            catch
            {
                shown.End(StageEventKind.Stopped);
                throw;
            }
        });
        return result;
    }

    public void Report(StageProgress value)
    {
        if (!host.IsLive && host.Time.GetElapsedTime(began) < Patience) return;
        if (current != value.Stage)
        {
            End(StageEventKind.Finished);
            current = value.Stage;
            display.Report(new StageEvent(current, StageEventKind.Began));
        }

        display.Report(value);
    }

    void End(StageEventKind how)
    {
        if (current is { } stage) display.Report(new StageEvent(stage, how));
    }
}
