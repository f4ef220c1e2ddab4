using System.Globalization;
using CoPe.Experiments.Evaluation;
using CoPe.Experiments.Runs.Results;
using Spectre.Console;

namespace CoPe.Cli.Display;

/// <summary>Several runs in the terminal: their figures method by method, then the tests against the first.</summary>
static class CompareView
{
    public static void Write(CommandHost host, RunComparison comparison, IReadOnlyList<Metric> tested)
    {
        var console = host.CreateTableConsole();
        var task = comparison.Runs[0].Task;
        console.WriteLine();
        console.MarkupLineInterpolated($"[bold]{task.Name}[/], mean ± standard error over queries");
        foreach (var (run, index) in comparison.Runs.Select((run, index) => (run, index)))
        {
            console.WriteLine(
                $" {RunLetter(index)}  {run.Name}, {run.Golds.Count} queries{(run.Seeds is { } seeds ? $", {seeds.SeedCount} seeds" : "")}"
            );
        }

        console.Write(CreateFiguresTable(comparison, Metric.NarrowFor(task.Outcome)));
        if (comparison.Differences.Count > 0)
        {
            console.Write(CreateTestsTable(comparison, tested));
        }

        foreach (var reason in comparison.Unpaired)
        {
            console.WriteLine(reason);
        }
    }

    static Table CreateFiguresTable(RunComparison comparison, IReadOnlyList<Metric> metrics)
    {
        var table = new Table { Border = TableBorder.Simple };
        table.AddColumn("method");
        table.AddColumn("run");
        foreach (var metric in metrics)
        {
            table.AddColumn(new TableColumn(metric.Name.ToUpperInvariant()) { NoWrap = true }.RightAligned());
        }

        foreach (var method in comparison.Methods)
        {
            var title = ResultsView.MethodTitle(method);
            foreach (var (run, index) in comparison.Runs.Select((run, index) => (run, index)))
            {
                if (run.Report.Methods.FirstOrDefault(scores => scores.Method == method) is not { } scores)
                {
                    continue;
                }

                table.AddRow([title, RunLetter(index), .. metrics.Select(metric => FormatCell(scores, metric))]);
                title = "";
            }
        }

        return table;
    }

    static Table CreateTestsTable(RunComparison comparison, IReadOnlyList<Metric> tested)
    {
        var table = new Table { Border = TableBorder.Simple };
        table.AddColumn("method");
        foreach (var heading in (string[])["runs", "metric"])
        {
            table.AddColumn(new TableColumn(heading) { NoWrap = true });
        }

        foreach (var heading in (string[])["difference", "p", "helped", "hurt", "same"])
        {
            table.AddColumn(new TableColumn(heading) { NoWrap = true }.RightAligned());
        }

        var letters = comparison
            .Runs.Select((run, index) => (run.Name, RunLetter(index)))
            .DistinctBy(pair => pair.Name)
            .ToDictionary();
        foreach (
            var difference in comparison
                .Differences.Where(difference => tested.Contains(difference.Test.Metric))
                .OrderBy(difference => comparison.Methods.ToList().IndexOf(difference.Test.Method))
        )
        {
            var test = difference.Test;
            string[] row =
            [
                $"{letters[difference.Run]} - {letters[difference.Baseline]}",
                test.Metric.Name,
                FormatInvariant($"{test.Difference:+0.0000;-0.0000;0.0000}"),
                DisplayFormat.PValue(test.BootstrapP),
                $"{test.Helped}",
                $"{test.Hurt}",
                $"{test.Equal}",
            ];
            table.AddRow([ResultsView.MethodTitle(test.Method), .. row]);
        }

        table.Caption = new TableTitle(
            DisplayFormat.TestNote(
                comparison.Differences[0].Test.Unit == PairedUnit.Users ? "users" : "queries",
                comparison.Differences[0].Test.Units
            )
        );
        return table;
    }

    static string FormatCell(MethodScores scores, Metric metric) =>
        scores.Metrics.GetValueOrDefault(metric.Name) is { } value ? DisplayFormat.MeanAndError(value) : "-";

    static string RunLetter(int index) => index < 26 ? ((char)('A' + index)).ToString() : $"R{index + 1}";

    static string FormatInvariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
