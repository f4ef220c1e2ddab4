using CoPe.Cli.Display;
using CoPe.Cli.Hosting;
using CoPe.Experiments.Runs;
using Microsoft.Extensions.Logging;
using Spectre.Console;

namespace CoPe.Cli.Tests.Display;

public class TerminalDisplayTests
{
    [Fact]
    public void Stages_bar_figures_and_messages_are_drawn_within_eighty_columns()
    {
        var text = new StringWriter();
        var console = AnsiConsole.Create(
            new()
            {
                Out = new AnsiConsoleOutput(text),
                Ansi = AnsiSupport.Yes,
                ColorSystem = ColorSystemSupport.NoColors,
            }
        );
        console.Profile.Width = 80;
        using var display = new TerminalDisplay(
            console,
            ["train tam", "train sft"],
            TimeProvider.System,
            LogLevel.Information
        );

        display.ShowWhile(() =>
        {
            display.Report(new StageEvent("train tam", StageEventKind.Started));
            display.Report(
                new StageProgress
                {
                    Stage = "train tam",
                    Done = 5,
                    Total = 10,
                    User = new('x', 90),
                }
            );
            display.LogWarning("a user has [little] history");
            display.Report(new StageEvent("train tam", StageEventKind.Finished));
            display.Report(new StageEvent("train sft", StageEventKind.Skipped));
        });

        var drawn = text.ToString();
        Assert.Contains("train tam", drawn, StringComparison.Ordinal);
        Assert.Contains("cope: warning: a user has [little] history", drawn, StringComparison.Ordinal);
        Assert.Contains("complete already", drawn, StringComparison.Ordinal);
        Assert.All(
            System.Text.RegularExpressions.Regex.Replace(drawn, @"\e\[[0-9;?]*[A-Za-z]", "").Split('\n', '\r'),
            line => Assert.True(line.Length <= 80, line)
        );
    }
}

public sealed class DataWorkDisplayTests : IDisposable
{
    readonly StringWriter _error = new();

    public void Dispose() => _error.Dispose();

    CommandHost Host(TimeProvider time) =>
        new()
        {
            Out = TextWriter.Null,
            Error = _error,
            SearchFolders = [Path.GetTempPath()],
            Time = time,
        };

    static StageProgress CreateProgress(string stage, long done) =>
        new()
        {
            Stage = stage,
            Done = done,
            Total = 3,
            Unit = "MB of mails.csv",
        };

    static int ReportStages(IProgress<StageProgress> progress)
    {
        progress.Report(CreateProgress("read", 1));
        progress.Report(CreateProgress("read", 2));
        progress.Report(CreateProgress("write", 3));
        return 7;
    }

    [Fact]
    public void Long_work_shows_each_stage_begin_progress_and_end()
    {
        Assert.Equal(
            7,
            DataWorkDisplay.ShowWhile(
                Host(new SteppingTimeProvider(TimeSpan.FromSeconds(3))),
                ["read", "write"],
                ReportStages
            )
        );

        Assert.Contains("read: begins", _error.ToString(), StringComparison.Ordinal);
        Assert.Contains("read: 2 of 3 MB of mails.csv", _error.ToString(), StringComparison.Ordinal);
        Assert.Contains("read: done in", _error.ToString(), StringComparison.Ordinal);
        Assert.Contains("write: done in", _error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Short_work_shows_nothing()
    {
        DataWorkDisplay.ShowWhile(Host(new SteppingTimeProvider(TimeSpan.Zero)), ["read", "write"], ReportStages);

        Assert.Empty(_error.ToString());
    }

    [Fact]
    public void A_stage_that_fails_is_shown_as_stopped()
    {
        Assert.Throws<IOException>(() =>
            DataWorkDisplay.ShowWhile<int>(
                Host(new SteppingTimeProvider(TimeSpan.FromSeconds(3))),
                ["read"],
                progress =>
                {
                    progress.Report(CreateProgress("read", 1));
                    throw new IOException("gone");
                }
            )
        );

        Assert.Contains("read: stopped after", _error.ToString(), StringComparison.Ordinal);
    }

    /// <summary>A clock that advances by a step at each reading.</summary>
    sealed class SteppingTimeProvider(TimeSpan step) : TimeProvider
    {
        long _now;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _now += step.Ticks;
    }
}
