using CoPe.Cli.Hosting;
using CoPe.Experiments.Runs;

namespace CoPe.Cli.Display;

/// <summary>
/// Shows the stages of work on data. A stage begins with its first report of progress and ends when the next one
/// begins. Where progress is lines, short work writes none.
/// </summary>
sealed class DataWorkDisplay : IProgress<StageProgress>
{
    static readonly TimeSpan QuietPeriod = TimeSpan.FromSeconds(2);

    readonly RunDisplay _display;
    readonly CommandHost _host;
    readonly long _startedAt;
    string? _current;

    DataWorkDisplay(RunDisplay display, CommandHost host) =>
        (_display, _host, _startedAt) = (display, host, host.Time.GetTimestamp());

    /// <summary>Shows the stages while <paramref name="work"/> runs, and returns its result.</summary>
    public static T ShowWhile<T>(CommandHost host, string[] stages, Func<IProgress<StageProgress>, T> work)
    {
        using var display = RunDisplay.Create(host, new RunRequest(), stages);
        var shown = new DataWorkDisplay(display, host);
        T result = default!;
        display.ShowWhile(() =>
        {
            try
            {
                result = work(shown);
                shown.EndStage(StageEventKind.Finished);
            }
            catch
            {
                shown.EndStage(StageEventKind.Stopped);
                throw;
            }
        });
        return result;
    }

    public void Report(StageProgress value)
    {
        if (!_host.ShowsLiveProgress && _host.Time.GetElapsedTime(_startedAt) < QuietPeriod)
        {
            return;
        }

        if (_current != value.Stage)
        {
            EndStage(StageEventKind.Finished);
            _current = value.Stage;
            _display.Report(new StageEvent(_current, StageEventKind.Started));
        }

        _display.Report(value);
    }

    void EndStage(StageEventKind kind)
    {
        if (_current is { } stage)
        {
            _display.Report(new StageEvent(stage, kind));
        }
    }
}
