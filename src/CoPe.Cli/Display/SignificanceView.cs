using CoPe.Data;
using CoPe.Evaluation;
using CoPe.Runs.Recipes;
using CoPe.Runs.Results;
using Spectre.Console;

namespace CoPe.Cli.Display;

/// <summary>Paired tests in the terminal: the last method of the table against every other, in the metric that stands for the task.</summary>
static class SignificanceView
{
    /// <summary>Writes the tests; nothing where there is none.</summary>
    public static void Write(IAnsiConsole console, IReadOnlyList<SignificanceLine> lines, LampTask task)
    {
        var metric = Metric.Headline(task.Outcome);
        var ofMetric = lines.Where(line => line.Metric == metric.Name).ToList();
        var last = PredictionMethod.InTableOrder(ofMetric.Select(line => line.Method).Distinct()).LastOrDefault();
        var shown = ofMetric.Where(line => line.Method == last).ToList();
        if (shown.Count == 0) return;
        var table = new Table { Border = TableBorder.Simple };
        table.AddColumn(new TableColumn($"{ResultsView.Title(last!)} against") { NoWrap = true });
        foreach (var heading in (string[])[metric.Title, "95 %", "p", "helped", "hurt", "same"]) table.AddColumn(new TableColumn(heading) { NoWrap = true }.RightAligned());
        foreach (var line in shown)
            table.AddRow([ResultsView.Title(line.Baseline), Signed(line.Difference), line is { Low: { } low, High: { } high } ? $"{Signed(low)} to {Signed(high)}" : "-", Words.PValue(line.BootstrapP), $"{line.Helped}", $"{line.Hurt}", $"{line.Equal}"]);
        table.Caption = new TableTitle(Words.TestNote(shown[0].Unit, shown[0].Helped + shown[0].Hurt + shown[0].Equal));
        console.Write(table);
    }

    static string Signed(double value) => Number($"{value:+0.0000;-0.0000;0.0000}");

    static string Number(FormattableString text) => FormattableString.Invariant(text);
}
