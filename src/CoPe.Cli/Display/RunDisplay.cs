using CoPe.Runs;
using Microsoft.Extensions.Logging;

namespace CoPe.Cli.Display;

/// <summary>Shows a run while it goes: stages, progress and messages. Stages may report from any thread.</summary>
abstract class RunDisplay(IReadOnlyList<string> stages, TimeProvider time, LogLevel least) : IProgress<StageProgress>, IProgress<StageEvent>, ILogger, IDisposable
{
    readonly Lock gate = new();

    /// <summary>The stages in order; one that was not announced joins when it begins.</summary>
    protected List<StageRow> Rows { get; } = [.. stages.Select(name => new StageRow(name, time))];

    protected TimeProvider Time { get; } = time;

    /// <summary>Drawn in place on a terminal, as lines elsewhere, and not at all when quiet.</summary>
    public static RunDisplay For(CommandHost host, RunRequest request, IReadOnlyList<string> stages)
    {
        var least = request.IsVerbose ? LogLevel.Debug : request.IsQuiet ? LogLevel.Warning : LogLevel.Information;
        return host.IsLive && !request.IsQuiet ? new TerminalDisplay(host.LiveConsole(), stages, host.Time, least) : new PlainDisplay(host.Error, stages, host.Time, least, request.IsQuiet);
    }

    /// <summary>Does the work with the display on.</summary>
    public abstract void Show(Action work);

    public void Report(StageProgress value)
    {
        lock (gate)
        {
            if (Rows.Find(row => row.Name == value.Stage) is not { } row) return;
            row.Take(value);
            Progressed(row);
        }
    }

    public void Report(StageEvent value)
    {
        lock (gate)
        {
            var row = Rows.Find(row => row.Name == value.Stage);
            if (row is null) Rows.Add(row = new StageRow(value.Stage, Time));
            row.Take(value.Kind);
            Changed(row);
        }
    }

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (!IsEnabled(logLevel)) return;
        lock (gate) Said(logLevel >= LogLevel.Warning ? $"warning: {formatter(state, exception)}" : formatter(state, exception));
    }

    public bool IsEnabled(LogLevel logLevel) => logLevel >= least && logLevel != LogLevel.None;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public virtual void Dispose()
    {
    }

    protected abstract void Progressed(StageRow row);

    protected abstract void Changed(StageRow row);

    protected abstract void Said(string message);
}
