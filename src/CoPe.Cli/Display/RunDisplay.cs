using CoPe.Cli.Hosting;
using CoPe.Cli.Terminal;
using CoPe.Experiments.Runs;
using Microsoft.Extensions.Logging;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace CoPe.Cli.Display;

/// <summary>Shows a running pipeline: stages, progress and messages. Stages may report from any thread.</summary>
abstract class RunDisplay(IReadOnlyList<string> stages, TimeProvider time, LogLevel least)
    : IProgress<StageProgress>,
        IProgress<StageEvent>,
        ILogger,
        IDisposable
{
    readonly Lock _sync = new();

    /// <summary>The stages in order; an unknown one is added by its first event.</summary>
    protected List<StageRow> Rows { get; } = [.. stages.Select(name => new StageRow(name, time))];

    protected TimeProvider Time { get; } = time;

    /// <summary>Drawn in place on a terminal, as lines elsewhere, and not at all when quiet.</summary>
    public static RunDisplay Create(CommandHost host, RunRequest request, IReadOnlyList<string> stages)
    {
        var quietLevel = request.IsQuiet ? LogLevel.Warning : LogLevel.Information;
        var least = request.IsVerbose ? LogLevel.Debug : quietLevel;
        return host.ShowsLiveProgress && !request.IsQuiet
            ? new TerminalDisplay(host.CreateLiveConsole(), stages, host.Time, least)
            : new PlainDisplay(host.Error, stages, host.Time, least, request.IsQuiet);
    }

    /// <summary>Shows the stages while <paramref name="work"/> runs.</summary>
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
            var message = formatter(state, exception);
            OnMessage(logLevel >= LogLevel.Warning ? $"warning: {message}" : message);
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

/// <summary>A stage as it is shown: its state, its time and its latest progress.</summary>
sealed class StageRow(string name, TimeProvider time)
{
    long _startedAt;
    long _firstProgressAt;
    StageProgress? _firstProgress;

    public string Name { get; } = name;

    /// <summary>The last event; null before the first.</summary>
    public StageEventKind? State { get; private set; }

    public StageProgress? LatestProgress { get; private set; }

    /// <summary>Running time in this session.</summary>
    public TimeSpan Elapsed { get; private set; }

    public bool IsRunning => State is StageEventKind.Started or StageEventKind.Resumed;

    /// <summary>Time left at the pace of this session; null until there is one.</summary>
    public TimeSpan? Remaining
    {
        get
        {
            if (LatestProgress is not { } latest || _firstProgress is not { } first || latest.Done <= first.Done)
            {
                return null;
            }

            var ratio = (latest.Total - latest.Done) / (double)(latest.Done - first.Done);
            return time.GetElapsedTime(_firstProgressAt) * ratio;
        }
    }

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
        var isSameTask =
            _firstProgress is not null
            && _firstProgress.Total == progress.Total
            && _firstProgress.Done <= progress.Done;
        if (!isSameTask)
        {
            _firstProgress = progress;
            _firstProgressAt = time.GetTimestamp();
        }
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
        var remaining = row.Remaining is { } left ? $", {DisplayFormat.Duration(left)} left" : "";
        writer.WriteLine($"{row.Name}: {DisplayFormat.Progress(row.LatestProgress!)}{remaining}");
    }

    protected override void OnStateChanged(StageRow row)
    {
        if (isQuiet)
        {
            return;
        }

        _lastLine = Time.GetTimestamp();
        var state = row.State switch
        {
            StageEventKind.Started => "begins",
            StageEventKind.Resumed => "resumes where it stopped",
            StageEventKind.Skipped => "complete already",
            StageEventKind.Finished => $"done in {DisplayFormat.Duration(row.Elapsed)}",
            _ => $"stopped after {DisplayFormat.Duration(row.Elapsed)}",
        };
        writer.WriteLine($"{row.Name}: {state}");
    }

    protected override void OnMessage(string message) => writer.WriteLine($"cope: {message}");
}

/// <summary>
/// Progress drawn in place: a line per stage, with a bar and the figures of the running one. Messages appear above.
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

    protected override void OnMessage(string message) =>
        console.MarkupLine($"[grey]cope:[/] {TerminalText.ToMarkup(message)}");

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
            return [RenderIdle(row, name)];
        }

        var figures = row.LatestProgress is { } progress ? DisplayFormat.Progress(progress) : "preparing";
        return [RenderRunning(row, name), new Text("   " + figures) { Overflow = Overflow.Ellipsis }];
    }

    Markup RenderIdle(StageRow row, string name)
    {
        var duration = DisplayFormat.Duration(row.Elapsed);
        var line = row.State switch
        {
            StageEventKind.Finished => $" [green]{Symbol('✓', '+')}[/] {name} {duration}",
            StageEventKind.Skipped => $" [green]{Symbol('✓', '+')}[/] {name} [grey]complete already[/]",
            StageEventKind.Stopped => $" [red]{Symbol('✗', 'x')}[/] {name} stopped after {duration}",
            _ => $" [grey]{Symbol('·', '.')} {name}[/]",
        };
        return new(line);
    }

    Markup RenderRunning(StageRow row, string name)
    {
        var share = row.LatestProgress is { Total: > 0 } latest
            ? Math.Clamp(latest.Done / (double)latest.Total, 0, 1)
            : 0;
        var done = (int)(share * BarWidth);
        var doneBar = new string(Symbol('━', '#'), done);
        var restBar = new string(Symbol('─', '-'), BarWidth - done);
        var remaining = row.Remaining is { } left ? DisplayFormat.Duration(left) + " left" : "";
        return new(
            $" [cyan]{Symbol('▸', '>')}[/] [bold]{name}[/] [cyan]{doneBar}[/][grey]{restBar}[/] "
                + $"{share * 100,3:0} % {remaining}"
        );
    }

    char Symbol(char unicode, char ascii) => console.Profile.Capabilities.Unicode ? unicode : ascii;
}
