using CoPe.Cli.Hosting;
using CoPe.Cli.Terminal;
using CoPe.Experiments.Evaluation;
using CoPe.Experiments.Runs;
using CoPe.Experiments.Runs.Results;
using Spectre.Console;

namespace CoPe.Cli.Display;

/// <summary>
/// A sweep in the terminal: per key a table of its values, each mean drawn with its standard error on one scale.
/// </summary>
static class SweepView
{
    const int BarWidth = 26;

    public static void Write(CommandHost host, IReadOnlyList<SweepCurve> curves, RunDirectory run, bool isJson)
    {
        if (isJson)
        {
            host.Out.Write(SweepFiles.ToJson(curves));
            return;
        }

        var console = host.CreateTableConsole();
        foreach (var curve in curves)
        {
            WriteCurve(console, curve);
        }

        console.WriteLine($"recipe   {ResultsView.RelativePath(host, run.ChosenRecipe)}");
        console.WriteLine($"curves   {ResultsView.RelativePath(host, run.SweepReport)}");
        console.WriteLine($"figures  {ResultsView.RelativePath(host, run.SweepTable)}");
        if (curves.Any(curve => curve.Points.Any(point => curve.ComputeGains(point).OverSft.Count > 0)))
        {
            console.WriteLine($"gains    {ResultsView.RelativePath(host, run.SweepGains)}");
        }
    }

    static void WriteCurve(IAnsiConsole console, SweepCurve curve)
    {
        var queries = $"{curve.Points[0].Results.Golds.Count} development queries";
        var direction = curve.Metric.Direction == MetricDirection.Lower ? ", lower is better" : "";
        console.WriteLine();
        console.MarkupLineInterpolated(
            $"[bold]{curve.Key}[/], {curve.Metric.Name} of {curve.Method} over {queries}{direction}"
        );
        console.WriteNumbers(CreateTable(curve));
        if (curve.DescribeTie() is { } tie)
        {
            console.WriteLine(tie);
        }

        if (curve.Edge is { } edge)
        {
            var chosen = curve.Points[curve.Chosen].Value;
            console.WriteLine($"{chosen} is the {edge} value tried: the best may lie beyond it");
        }

        WriteGains(console, curve);
    }

    /// <summary>
    /// What contrast, preference training and both add to SFT at each value, and how far its experts are from their
    /// amateur; nothing where the sweep has no such method.
    /// </summary>
    static void WriteGains(IAnsiConsole console, SweepCurve curve)
    {
        var table = new Table { Border = TableBorder.Simple };
        table.AddColumn(new TableColumn("value") { NoWrap = true });
        table.AddColumn(new TableColumn("nats") { NoWrap = true }.RightAligned());
        table.AddColumn(new TableColumn("method") { NoWrap = true });
        foreach (var heading in (string[])["over SFT", "p", "helped", "hurt", "same"])
        {
            table.AddColumn(new TableColumn(heading) { NoWrap = true }.RightAligned());
        }

        PairedComparison? last = null;
        foreach (var point in curve.Points)
        {
            var gains = curve.ComputeGains(point);
            foreach (var test in gains.OverSft)
            {
                table.AddRow(
                    TerminalText.ToMarkup(point.Value),
                    gains.Distance is { } nats ? DisplayFormat.Number(nats) : "-",
                    ResultsView.MethodTitle(test.Method),
                    DisplayFormat.Signed(test.Difference),
                    DisplayFormat.PValue(test.BootstrapP),
                    $"{test.Helped}",
                    $"{test.Hurt}",
                    $"{test.Equal}"
                );
                last = test;
            }
        }

        if (last is null)
        {
            return;
        }

        table.Caption = new TableTitle(
            DisplayFormat.TestNote(FormatUnit(last.Unit), last.Units)
                + "\nnats: log p of SFT less log p of the TAM, a token of the users' own texts"
        );
        console.WriteNumbers(table);
    }

    static Table CreateTable(SweepCurve curve)
    {
        var table = new Table { Border = TableBorder.Simple };
        table.AddColumn(new TableColumn("value") { NoWrap = true });
        table.AddColumn(new TableColumn("mean ± se") { NoWrap = true }.RightAligned());
        table.AddColumn(new TableColumn("p") { NoWrap = true }.RightAligned());
        table.AddColumn(new TableColumn("") { NoWrap = true });
        var values = curve.Points.Select(curve.ScoreAt).ToList();
        var low = values.Min(value => value.Mean - value.StandardError);
        var high = values.Max(value => value.Mean + value.StandardError);
        for (var i = 0; i < values.Count; i++)
        {
            var isChosen = i == curve.Chosen;
            var mean = DisplayFormat.MeanAndError(values[i]);
            table.AddRow(
                TerminalText.ToMarkup(curve.Points[i].Value),
                isChosen ? $"[bold]{mean}[/]" : mean,
                isChosen ? (curve.Best.Count > 1 ? "tie" : "best") : FormatP(curve, curve.Points[i]),
                DrawErrorBar(values[i], low, high)
            );
        }

        table.Caption = new TableTitle(DescribeTests(curve));
        return table;
    }

    static string DescribeTests(SweepCurve curve)
    {
        const string Note = "p: paired bootstrap of the best against this value";
        var test = curve.Points.Select(curve.CompareChosenWith).OfType<PairedComparison>().FirstOrDefault();
        return test is not null && DisplayFormat.NoteFewUnits(FormatUnit(test.Unit), test.Units) is { } few
            ? $"{Note}\n{few}: p is too small"
            : Note;
    }

    static string FormatUnit(PairedUnit unit) => unit == PairedUnit.Users ? "users" : "queries";

    static string FormatP(SweepCurve curve, SweepPoint point) =>
        curve.CompareChosenWith(point) is { } test ? DisplayFormat.PValue(test.BootstrapP) : "-";

    /// <summary><c>--o--</c>: the mean, and a standard error to both sides.</summary>
    internal static string DrawErrorBar(MeanWithError value, double low, double high)
    {
        int ColumnOf(double number) =>
            high <= low ? BarWidth / 2 : (int)Math.Round((number - low) / (high - low) * (BarWidth - 1));

        var line = Enumerable.Repeat(' ', BarWidth).ToArray();
        var first = ColumnOf(value.Mean - value.StandardError);
        var last = ColumnOf(value.Mean + value.StandardError);
        line.AsSpan(first..(last + 1)).Fill('-');
        line[ColumnOf(value.Mean)] = 'o';
        return new string(line).TrimEnd();
    }
}
