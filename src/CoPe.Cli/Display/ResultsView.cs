using CoPe.Data;
using CoPe.Data.Tasks;
using CoPe.Evaluation;
using CoPe.Runs;
using CoPe.Runs.Recipes;
using CoPe.Runs.Results;
using Spectre.Console;

namespace CoPe.Cli.Display;

/// <summary>The results of a run: a table of methods and metrics, answers side by side, and where the rest lies; or the results file as it is.</summary>
static class ResultsView
{
    /// <summary>Writes what a run came to; nothing where it was not evaluated.</summary>
    public static void Write(CommandHost host, StageContext context, bool isJson)
    {
        if (!File.Exists(context.Run.Results)) return;
        if (isJson)
        {
            host.Out.Write(File.ReadAllText(context.Run.Results));
            return;
        }

        var results = ResultsFile.ReadJson(context.Run.Results);
        var task = TaskFile.Read(context.Inputs.TaskFile).Task;
        var console = host.Tables();
        var count = results.Values.SelectMany(method => method.Values).Select(value => value.Count).DefaultIfEmpty().Max();
        console.WriteLine();
        console.MarkupLineInterpolated($"[bold]{task.Name}[/], mean ± standard error over {Queries(count)}");
        console.Write(Table(task, results));
        SignificanceView.Write(console, SignificanceFile.Read(context.Run), task);
        ExamplesView.Write(console, context, task);
        console.WriteLine($"results  {Relative(host, context.Run.Results)}");
        if (File.Exists(context.Run.Report)) console.WriteLine($"report   {Relative(host, context.Run.Report)}");
    }

    /// <summary>Writes what several seeds of a recipe came to together.</summary>
    public static void WriteSeeds(CommandHost host, RunFigures figures, RunDirectory run, bool isJson)
    {
        if (isJson)
        {
            host.Out.Write(File.ReadAllText(run.SeedResults));
            return;
        }

        var console = host.Tables();
        console.WriteLine();
        console.MarkupLineInterpolated($"[bold]{figures.Task.Name}[/], mean ± standard error over {figures.Golds.Count} queries; sd: over {figures.Seeds!.Seeds} seeds");
        console.Write(Table(figures.Task, figures.Report.Methods.ToDictionary(scores => scores.Method, scores => scores.Metrics), figures.Seeds));
        console.WriteLine($"results  {Relative(host, run.SeedResults)}");
        console.WriteLine($"         {Relative(host, run.SeedResultsTable)}");
        console.WriteLine($"report   {Relative(host, run.SeedReport)}");
    }

    /// <summary>Rows methods, columns the task's metrics, cells mean and standard error over queries.</summary>
    internal static Table Table(LampTask task, IReadOnlyDictionary<string, IReadOnlyDictionary<string, MeanWithError>> results, SeedAverage? seeds = null)
    {
        var metrics = Metric.Shown(task.Outcome);
        var table = new Table { Border = TableBorder.Rounded };
        table.AddColumn("method");
        foreach (var metric in metrics) table.AddColumn(new TableColumn(metric.Name.ToUpperInvariant()).RightAligned());
        foreach (var method in PredictionMethod.InTableOrder(results.Keys))
            table.AddRow([Title(method), .. metrics.Select(metric => Cell(metric, method, results) + (seeds?.DeviationOf(method, metric.Name) is { } deviation ? Number($"\n[grey]sd {deviation:0.0000}[/]") : ""))]);
        return table;
    }

    internal static string Queries(int count) => count == 1 ? "1 query" : Number($"{count:#,0} queries");

    /// <summary>A method's heading, marked up.</summary>
    internal static string Title(string method) => Markup.Escape(PredictionMethod.TitleOf(method));

    static string Cell(Metric metric, string method, IReadOnlyDictionary<string, IReadOnlyDictionary<string, MeanWithError>> results)
    {
        if (!results[method].TryGetValue(metric.Name, out var value)) return "-";
        var best = results.Values.Where(other => other.ContainsKey(metric.Name)).Select(other => other[metric.Name].Mean).ToList();
        var isBest = value.Mean == (metric.Direction == MetricDirection.Lower ? best.Min() : best.Max());
        var text = Words.Mean(value);
        return isBest ? $"[bold]{text}[/]" : text;
    }

    static string Number(FormattableString text) => FormattableString.Invariant(text);

    internal static string Relative(CommandHost host, string path)
    {
        var relative = Path.GetRelativePath(host.Roots[0], path);
        return relative.StartsWith("..", StringComparison.Ordinal) ? path : relative;
    }
}
