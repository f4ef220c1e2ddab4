using CoPe.Cli.Hosting;
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
        foreach (var (index, run) in comparison.Runs.Index())
        {
            var seeds = run.Seeds is { } average ? $", {average.SeedCount} seeds" : "";
            console.WriteLine($" {RunLetter(index)}  {run.Name}, {run.Golds.Count} queries{seeds}");
        }

        console.WriteNumbers(CreateFiguresTable(comparison, Metric.NarrowFor(task.Outcome)), names: 2);
        if (comparison.Differences.Count > 0)
        {
            console.WriteNumbers(CreateTestsTable(comparison, tested), names: 3);
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
            foreach (var (index, run) in comparison.Runs.Index())
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
        var methods = comparison.Methods.ToList();
        var shown = comparison
            .Differences.Where(difference => tested.Contains(difference.Test.Metric))
            .OrderBy(difference => methods.IndexOf(difference.Test.Method));
        foreach (var difference in shown)
        {
            var test = difference.Test;
            table.AddRow(
                ResultsView.MethodTitle(test.Method),
                $"{letters[difference.Run]} - {letters[difference.Baseline]}",
                test.Metric.Name,
                DisplayFormat.Signed(test.Difference),
                DisplayFormat.PValue(test.BootstrapP),
                $"{test.Helped}",
                $"{test.Hurt}",
                $"{test.Equal}"
            );
        }

        var first = comparison.Differences[0].Test;
        var unit = first.Unit == PairedUnit.Users ? "users" : "queries";
        table.Caption = new TableTitle(DisplayFormat.TestNote(unit, first.Units));
        return table;
    }

    static string FormatCell(MethodScores scores, Metric metric) =>
        scores.Metrics.GetValueOrDefault(metric.Name) is { } value ? DisplayFormat.MeanAndError(value) : "-";

    static string RunLetter(int index) => index < 26 ? ((char)('A' + index)).ToString() : $"R{index + 1}";
}
