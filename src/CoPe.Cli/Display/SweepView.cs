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
            console.WriteLine();
            console.MarkupLineInterpolated(
                $"[bold]{curve.Key}[/], {curve.Metric.Name} of {curve.Method} over {curve.Points[0].Results.Golds.Count} development queries{(curve.Metric.Direction == MetricDirection.Lower ? ", lower is better" : "")}"
            );
            console.Write(CreateTable(curve));
            if (curve.Edge is { } end)
            {
                console.WriteLine(
                    $"{curve.Points[curve.Chosen].Value} is the {end} value tried: the best may lie beyond it"
                );
            }
        }

        console.WriteLine($"recipe   {ResultsView.RelativePath(host, run.ChosenRecipe)}");
        console.WriteLine($"curves   {ResultsView.RelativePath(host, run.SweepReport)}");
        console.WriteLine($"figures  {ResultsView.RelativePath(host, run.SweepTable)}");
    }

    static Table CreateTable(SweepCurve curve)
    {
        var table = new Table { Border = TableBorder.Simple };
        table.AddColumn(new TableColumn("value") { NoWrap = true });
        table.AddColumn(new TableColumn("mean ± se") { NoWrap = true }.RightAligned());
        table.AddColumn(new TableColumn("p") { NoWrap = true }.RightAligned());
        table.AddColumn(new TableColumn("") { NoWrap = true });
        var values = curve.Points.Select(curve.ScoreAt).ToList();
        var (low, high) = (
            values.Min(value => value.Mean - value.StandardError),
            values.Max(value => value.Mean + value.StandardError)
        );
        for (var i = 0; i < values.Count; i++)
        {
            var isChosen = i == curve.Chosen;
            var text = DisplayFormat.MeanAndError(values[i]);
            var p =
                isChosen ? "best"
                : curve.CompareChosenWith(curve.Points[i]) is { } test ? DisplayFormat.PValue(test.BootstrapP)
                : "-";
            table.AddRow(
                Markup.Escape(curve.Points[i].Value),
                isChosen ? $"[bold]{text}[/]" : text,
                p,
                DrawErrorBar(values[i], low, high)
            );
        }

        table.Caption = new TableTitle("p: paired bootstrap of the best against this value");
        return table;
    }

    /// <summary><c>--o--</c>: the mean, and a standard error to both sides.</summary>
    internal static string DrawErrorBar(MeanWithError value, double low, double high)
    {
        int Place(double at) =>
            high <= low ? BarWidth / 2 : (int)Math.Round((at - low) / (high - low) * (BarWidth - 1));
        var line = new string(' ', BarWidth).ToCharArray();
        for (var at = Place(value.Mean - value.StandardError); at <= Place(value.Mean + value.StandardError); at++)
        {
            line[at] = '-';
        }

        line[Place(value.Mean)] = 'o';
        return new string(line).TrimEnd();
    }
}
