using CoPe.Experiments.Runs;
using Microsoft.Extensions.Logging;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace CoPe.Cli.Display;

/// <summary>Shows a run while it goes: stages, progress and messages. Stages may report from any thread.</summary>
abstract class RunDisplay(IReadOnlyList<string> stages, TimeProvider time, LogLevel least)
    : IProgress<StageProgress>,
        IProgress<StageEvent>,
        ILogger,
        IDisposable
{
    readonly Lock _sync = new();

    /// <summary>The stages in order; one that was not announced joins when it begins.</summary>
    protected List<StageRow> Rows { get; } = [.. stages.Select(name => new StageRow(name, time))];

    protected TimeProvider Time { get; } = time;

    /// <summary>Drawn in place on a terminal, as lines elsewhere, and not at all when quiet.</summary>
    public static RunDisplay Create(CommandHost host, RunRequest request, IReadOnlyList<string> stages)
    {
        var least =
            request.IsVerbose ? LogLevel.Debug
            : request.IsQuiet ? LogLevel.Warning
            : LogLevel.Information;
        return host.ShowsLiveProgress && !request.IsQuiet
            ? new TerminalDisplay(host.CreateLiveConsole(), stages, host.Time, least)
            : new PlainDisplay(host.Error, stages, host.Time, least, request.IsQuiet);
    }

    /// <summary>Does the work with the display on.</summary>
    public abstract void ShowWhile(Action work);

    public void Report(StageProgress value)
    {
        lock (_sync)
        {
            if (Rows.Find(row => row.Name == value.Stage) is not { } row)
            {
                return;
            }

            row.Update(value);
            OnProgress(row);
        }
    }

    public void Report(StageEvent value)
    {
        lock (_sync)
        {
            var row = Rows.Find(row => row.Name == value.Stage);
            if (row is null)
            {
                Rows.Add(row = new StageRow(value.Stage, Time));
            }

            row.Update(value.Kind);
            OnStateChanged(row);
        }
    }

    public void Log<TState>(
        LogLevel logLevel,
        EventId eventId,
        TState state,
        Exception? exception,
        Func<TState, Exception?, string> formatter
    )
    {
        if (!IsEnabled(logLevel))
        {
            return;
        }

        lock (_sync)
        {
            OnMessage(
                logLevel >= LogLevel.Warning ? $"warning: {formatter(state, exception)}" : formatter(state, exception)
            );
        }
    }

    public bool IsEnabled(LogLevel logLevel) => logLevel >= least && logLevel != LogLevel.None;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public virtual void Dispose() { }

    protected abstract void OnProgress(StageRow row);

    protected abstract void OnStateChanged(StageRow row);

    protected abstract void OnMessage(string message);
}

/// <summary>A stage as it is shown: where it stands, since when, and its last figures.</summary>
sealed class StageRow(string name, TimeProvider time)
{
    long _startedAt;
    long _firstProgressAt;
    StageProgress? _firstProgress;

    public string Name { get; } = name;

    /// <summary>What happened last; null while it waits.</summary>
    public StageEventKind? State { get; private set; }

    public StageProgress? LatestProgress { get; private set; }

    /// <summary>Time at work in this sitting.</summary>
    public TimeSpan Elapsed { get; private set; }

    public bool IsRunning => State is StageEventKind.Started or StageEventKind.Resumed;

    /// <summary>Time left at the pace of this sitting; null while there is none.</summary>
    public TimeSpan? Remaining =>
        LatestProgress is { } last && _firstProgress is { } from && last.Done > from.Done
            ? time.GetElapsedTime(_firstProgressAt) * ((last.Total - last.Done) / (double)(last.Done - from.Done))
            : null;

    public void Update(StageEventKind kind)
    {
        State = kind;
        if (IsRunning)
        {
            _startedAt = time.GetTimestamp();
        }
        else if (kind != StageEventKind.Skipped)
        {
            Elapsed = time.GetElapsedTime(_startedAt);
        }
    }

    public void Update(StageProgress progress)
    {
        LatestProgress = progress;
        Elapsed = time.GetElapsedTime(_startedAt);
        if (
            _firstProgress is not null
            && _firstProgress.Total == progress.Total
            && _firstProgress.Done <= progress.Done
        )
        {
            return;
        }

        _firstProgress = progress;
        _firstProgressAt = time.GetTimestamp();
    }
}

/// <summary>Progress as lines: when a stage begins and ends, and every few seconds between.</summary>
sealed class PlainDisplay(
    TextWriter writer,
    IReadOnlyList<string> stages,
    TimeProvider time,
    LogLevel least,
    bool isQuiet
) : RunDisplay(stages, time, least)
{
    static readonly TimeSpan LineInterval = TimeSpan.FromSeconds(5);
    long _lastLine;

    public override void ShowWhile(Action work) => work();

    protected override void OnProgress(StageRow row)
    {
        if (isQuiet || Time.GetElapsedTime(_lastLine) < LineInterval)
        {
            return;
        }

        _lastLine = Time.GetTimestamp();
        writer.WriteLine(
            $"{row.Name}: {DisplayFormat.Progress(row.LatestProgress!)}{(row.Remaining is { } left ? $", {DisplayFormat.Duration(left)} left" : "")}"
        );
    }

    protected override void OnStateChanged(StageRow row)
    {
        if (isQuiet)
        {
            return;
        }

        _lastLine = Time.GetTimestamp();
        var line = row.State switch
        {
            StageEventKind.Started => "begins",
            StageEventKind.Resumed => "goes on where it stopped",
            StageEventKind.Skipped => "complete already",
            StageEventKind.Finished => $"done in {DisplayFormat.Duration(row.Elapsed)}",
            _ => $"stopped after {DisplayFormat.Duration(row.Elapsed)}",
        };
        writer.WriteLine($"{row.Name}: {line}");
    }

    protected override void OnMessage(string message) => writer.WriteLine($"cope: {message}");
}

/// <summary>
/// Progress drawn in place: a line per stage, a bar and the figures of the one at work. Messages appear above.
/// </summary>
sealed class TerminalDisplay(IAnsiConsole console, IReadOnlyList<string> stages, TimeProvider time, LogLevel least)
    : RunDisplay(stages, time, least)
{
    const int BarWidth = 32;
    static readonly TimeSpan DrawInterval = TimeSpan.FromMilliseconds(100);
    LiveDisplayContext? _live;
    long _lastDrawn;

    public override void ShowWhile(Action work) =>
        console
            .Live(Render())
            .AutoClear(false)
            .Overflow(VerticalOverflow.Ellipsis)
            .Start(context =>
            {
                _live = context;
                work();
                Draw();
                _live = null;
            });

    protected override void OnProgress(StageRow row)
    {
        if (Time.GetElapsedTime(_lastDrawn) >= DrawInterval)
        {
            Draw();
        }
    }

    protected override void OnStateChanged(StageRow row) => Draw();

    protected override void OnMessage(string message) => console.MarkupLine($"[grey]cope:[/] {Markup.Escape(message)}");

    void Draw()
    {
        _lastDrawn = Time.GetTimestamp();
        _live?.UpdateTarget(Render());
        _live?.Refresh();
    }

    Rows Render() => new(Rows.SelectMany(RenderStage));

    IEnumerable<IRenderable> RenderStage(StageRow row)
    {
        var name = $"{row.Name,-17}";
        if (!row.IsRunning)
        {
            yield return new Markup(
                row.State switch
                {
                    StageEventKind.Finished =>
                        $" [green]{Symbol("✓", "+")}[/] {name} {DisplayFormat.Duration(row.Elapsed)}",
                    StageEventKind.Skipped => $" [green]{Symbol("✓", "+")}[/] {name} [grey]complete already[/]",
                    StageEventKind.Stopped =>
                        $" [red]{Symbol("✗", "x")}[/] {name} stopped after {DisplayFormat.Duration(row.Elapsed)}",
                    _ => $" [grey]{Symbol("·", ".")} {name}[/]",
                }
            );
            yield break;
        }

        var share = row.LatestProgress is { Total: > 0 } last ? Math.Clamp(last.Done / (double)last.Total, 0, 1) : 0;
        var full = (int)(share * BarWidth);
        var bar =
            $"[cyan]{new string(Symbol("━", "#")[0], full)}[/][grey]{new string(Symbol("─", "-")[0], BarWidth - full)}[/]";
        yield return new Markup(
            $" [cyan]{Symbol("▸", ">")}[/] [bold]{name}[/] {bar} {share * 100,3:0} % {(row.Remaining is { } left ? DisplayFormat.Duration(left) + " left" : "")}"
        );
        yield return new Text(
            row.LatestProgress is null ? "   preparing" : "   " + DisplayFormat.Progress(row.LatestProgress)
        )
        {
            Overflow = Overflow.Ellipsis,
        };
    }

    string Symbol(string unicode, string ascii) => console.Profile.Capabilities.Unicode ? unicode : ascii;
}
