using CoPe.Runs;
using Microsoft.Extensions.Logging;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace CoPe.Cli.Display;

/// <summary>Progress drawn in place: a line per stage, a bar and the figures of the one at work. Messages appear above.</summary>
sealed class TerminalDisplay(IAnsiConsole console, IReadOnlyList<string> stages, TimeProvider time, LogLevel least) : RunDisplay(stages, time, least)
{
    const int BarWidth = 32;
    static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);
    LiveDisplayContext? live;
    long lastDrawn;

    public override void Show(Action work) => console.Live(Picture()).AutoClear(false).Overflow(VerticalOverflow.Ellipsis).Start(context =>
    {
        live = context;
        work();
        Draw();
        live = null;
    });

    protected override void Progressed(StageRow row)
    {
        if (Time.GetElapsedTime(lastDrawn) >= Pause) Draw();
    }

    protected override void Changed(StageRow row) => Draw();

    protected override void Said(string message) => console.MarkupLine($"[grey]cope:[/] {Markup.Escape(message)}");

    void Draw()
    {
        lastDrawn = Time.GetTimestamp();
        live?.UpdateTarget(Picture());
        live?.Refresh();
    }

    Rows Picture() => new(Rows.SelectMany(Lines));

    IEnumerable<IRenderable> Lines(StageRow row)
    {
        var name = $"{row.Name,-17}";
        if (!row.IsAtWork)
        {
            yield return new Markup(row.State switch
            {
                StageEventKind.Finished => $" [green]{Sign("✓", "+")}[/] {name} {Words.Time(row.Elapsed)}",
                StageEventKind.Skipped => $" [green]{Sign("✓", "+")}[/] {name} [grey]complete already[/]",
                StageEventKind.Stopped => $" [red]{Sign("✗", "x")}[/] {name} stopped after {Words.Time(row.Elapsed)}",
                _ => $" [grey]{Sign("·", ".")} {name}[/]",
            });
            yield break;
        }

        var share = row.Last is { Total: > 0 } last ? Math.Clamp(last.Done / (double)last.Total, 0, 1) : 0;
        var full = (int)(share * BarWidth);
        var bar = $"[cyan]{new string(Sign("━", "#")[0], full)}[/][grey]{new string(Sign("─", "-")[0], BarWidth - full)}[/]";
        yield return new Markup($" [cyan]{Sign("▸", ">")}[/] [bold]{name}[/] {bar} {share * 100,3:0} % {(row.Left is { } left ? Words.Time(left) + " left" : "")}");
        yield return new Text(row.Last is null ? "   preparing" : "   " + Words.Progress(row.Last)) { Overflow = Overflow.Ellipsis };
    }

    string Sign(string unicode, string ascii) => console.Profile.Capabilities.Unicode ? unicode : ascii;
}
