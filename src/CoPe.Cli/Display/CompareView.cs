using System.Globalization;
using CoPe.Evaluation;
using CoPe.Runs.Results;
using Spectre.Console;

namespace CoPe.Cli.Display;

/// <summary>Several runs in the terminal: their figures method by method, then the tests against the first.</summary>
static class CompareView
{
    public static void Write(CommandHost host, RunComparison comparison, IReadOnlyList<Metric> tested)
    {
        var console = host.Tables();
        var task = comparison.Runs[0].Task;
        console.WriteLine();
        console.MarkupLineInterpolated($"[bold]{task.Name}[/], mean ± standard error over queries");
        foreach (var (run, index) in comparison.Runs.Select((run, index) => (run, index)))
            console.WriteLine($" {Letter(index)}  {run.Name}, {run.Golds.Count} queries{(run.Seeds is { } seeds ? $", {seeds.Seeds} seeds" : "")}");
        console.Write(Figures(comparison, Metric.Shown(task.Outcome)));
        if (comparison.Differences.Count > 0) console.Write(Tests(comparison, tested));
        foreach (var reason in comparison.Unpaired) console.WriteLine(reason);
    }

    static Table Figures(RunComparison comparison, IReadOnlyList<Metric> metrics)
    {
        var table = new Table { Border = TableBorder.Simple };
        table.AddColumn("method");
        table.AddColumn("run");
        foreach (var metric in metrics) table.AddColumn(new TableColumn(metric.Name.ToUpperInvariant()) { NoWrap = true }.RightAligned());
        foreach (var method in comparison.Methods)
        {
            var title = ResultsView.Title(method);
            foreach (var (run, index) in comparison.Runs.Select((run, index) => (run, index)))
            {
                if (run.Report.Methods.FirstOrDefault(scores => scores.Method == method) is not { } scores) continue;
                table.AddRow([title, Letter(index), .. metrics.Select(metric => Cell(scores, metric))]);
                title = "";
            }
        }

        return table;
    }

    static Table Tests(RunComparison comparison, IReadOnlyList<Metric> tested)
    {
        var table = new Table { Border = TableBorder.Simple };
        table.AddColumn("method");
        foreach (var heading in (string[])["runs", "metric"]) table.AddColumn(new TableColumn(heading) { NoWrap = true });
        foreach (var heading in (string[])["difference", "p", "helped", "hurt", "same"]) table.AddColumn(new TableColumn(heading) { NoWrap = true }.RightAligned());
        var letters = comparison.Runs.Select((run, index) => (run.Name, Letter(index))).DistinctBy(pair => pair.Name).ToDictionary();
        foreach (var difference in comparison.Differences.Where(difference => tested.Contains(difference.Test.Metric)).OrderBy(difference => comparison.Methods.ToList().IndexOf(difference.Test.Method)))
        {
            var test = difference.Test;
            string[] row = [$"{letters[difference.Run]} - {letters[difference.Baseline]}", test.Metric.Name, Number($"{test.Difference:+0.0000;-0.0000;0.0000}"), Words.PValue(test.BootstrapP), $"{test.Helped}", $"{test.Hurt}", $"{test.Equal}"];
            table.AddRow([ResultsView.Title(test.Method), .. row]);
        }

        table.Caption = new TableTitle(Words.TestNote(comparison.Differences[0].Test.Unit == PairedUnit.Users ? "users" : "queries", comparison.Differences[0].Test.Units));
        return table;
    }

    static string Cell(MethodScores scores, Metric metric) =>
        scores.Metrics.GetValueOrDefault(metric.Name) is { } value ? Words.Mean(value) : "-";

    static string Letter(int index) => index < 26 ? ((char)('A' + index)).ToString() : $"R{index + 1}";

    static string Number(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
