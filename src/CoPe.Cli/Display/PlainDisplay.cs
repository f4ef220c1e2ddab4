using CoPe.Runs;
using Microsoft.Extensions.Logging;

namespace CoPe.Cli.Display;

/// <summary>Progress as lines: when a stage begins and ends, and every few seconds between.</summary>
sealed class PlainDisplay(TextWriter writer, IReadOnlyList<string> stages, TimeProvider time, LogLevel least, bool isQuiet) : RunDisplay(stages, time, least)
{
    static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);
    long lastLine;

    public override void Show(Action work) => work();

    protected override void Progressed(StageRow row)
    {
        if (isQuiet || Time.GetElapsedTime(lastLine) < Pause) return;
        lastLine = Time.GetTimestamp();
        writer.WriteLine($"{row.Name}: {Words.Progress(row.Last!)}{(row.Left is { } left ? $", {Words.Time(left)} left" : "")}");
    }

    protected override void Changed(StageRow row)
    {
        if (isQuiet) return;
        lastLine = Time.GetTimestamp();
        var line = row.State switch
        {
            StageEventKind.Began => "begins",
            StageEventKind.WentOn => "goes on where it stopped",
            StageEventKind.Skipped => "complete already",
            StageEventKind.Finished => $"done in {Words.Time(row.Elapsed)}",
            _ => $"stopped after {Words.Time(row.Elapsed)}",
        };
        writer.WriteLine($"{row.Name}: {line}");
    }

    protected override void Said(string message) => writer.WriteLine($"cope: {message}");
}
