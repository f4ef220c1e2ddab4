using CoPe.Cli.Display;
using CoPe.Runs;
using Microsoft.Extensions.Logging;
using Spectre.Console;

namespace CoPe.Tests.Cli;

public class TerminalDisplayTests
{
    [Fact]
    public void Stages_bar_figures_and_messages_are_drawn_within_eighty_columns()
    {
        var text = new StringWriter();
        var console = AnsiConsole.Create(new() { Out = new AnsiConsoleOutput(text), Ansi = AnsiSupport.Yes, ColorSystem = ColorSystemSupport.NoColors });
        console.Profile.Width = 80;
        using var display = new TerminalDisplay(console, ["train tam", "train sft"], TimeProvider.System, LogLevel.Information);

        display.Show(() =>
        {
            display.Report(new StageEvent("train tam", StageEventKind.Began));
            display.Report(new StageProgress { Stage = "train tam", Done = 5, Total = 10, User = new('x', 90) });
            display.LogWarning("a user has [little] history");
            display.Report(new StageEvent("train tam", StageEventKind.Finished));
            display.Report(new StageEvent("train sft", StageEventKind.Skipped));
        });

        var drawn = text.ToString();
        Assert.Contains("train tam", drawn, StringComparison.Ordinal);
        Assert.Contains("cope: warning: a user has [little] history", drawn, StringComparison.Ordinal);
        Assert.Contains("complete already", drawn, StringComparison.Ordinal);
        Assert.All(System.Text.RegularExpressions.Regex.Replace(drawn, @"\e\[[0-9;?]*[A-Za-z]", "").Split('\n', '\r'), line => Assert.True(line.Length <= 80, line));
    }
}
