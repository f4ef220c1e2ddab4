using CoPe.Cli.Hosting;
using CoPe.Cli.Terminal;
using CoPe.Experiments.Evaluation;
using CoPe.Experiments.Runs;
using CoPe.Experiments.Runs.Recipes;
using CoPe.Experiments.Runs.Results;
using CoPe.Experiments.Tasks;
using Spectre.Console;

namespace CoPe.Cli.Display;

/// <summary>
/// The results of a run: a table of methods and metrics, answers side by side, and where the rest lies; or the results
/// file as it is.
/// </summary>
static class ResultsView
{
    /// <summary>Writes what a run came to; nothing where it was not evaluated.</summary>
    public static void Write(CommandHost host, StageContext context, bool isJson)
    {
        if (!File.Exists(context.Run.Results))
        {
            return;
        }

        if (isJson)
        {
            host.Out.Write(File.ReadAllText(context.Run.Results));
            return;
        }

        var results = ResultsFile.ReadJson(context.Run.Results);
        var task = TaskFile.Read(context.Inputs.TaskPath).Task;
        var console = host.CreateTableConsole();
        var count = results.Cells.Select(cell => cell.Count).DefaultIfEmpty().Max();
        console.WriteLine();
        console.MarkupLineInterpolated($"[bold]{task.Name}[/], mean ± standard error over {CountQueries(count)}");
        console.WriteNumbers(CreateTable(task, results));
        SignificanceView.Write(console, SignificanceFile.Read(context.Run), task);
        ExamplesView.Write(console, context);
        console.WriteLine($"results  {RelativePath(host, context.Run.Results)}");
        if (File.Exists(context.Run.QueryTable))
        {
            console.WriteLine($"answers  {RelativePath(host, context.Run.QueryTable)}");
        }

        if (File.Exists(context.Run.Report))
        {
            console.WriteLine($"report   {RelativePath(host, context.Run.Report)}");
        }
    }

    /// <summary>Writes what several seeds of a recipe came to together.</summary>
    public static void WriteSeeds(CommandHost host, RunResults results, RunDirectory run, bool isJson)
    {
        if (isJson)
        {
            host.Out.Write(File.ReadAllText(run.SeedResults));
            return;
        }

        var console = host.CreateTableConsole();
        console.WriteLine();
        var (queries, seeds) = (results.Golds.Count, results.Seeds!.SeedCount);
        console.MarkupLineInterpolated(
            $"[bold]{results.Task.Name}[/], mean ± standard error over {queries} queries; sd: over {seeds} seeds"
        );
        console.WriteNumbers(CreateTable(results.Task, results.Table));
        console.WriteLine($"results  {RelativePath(host, run.SeedResults)}");
        console.WriteLine($"         {RelativePath(host, run.SeedResultsTable)}");
        console.WriteLine($"report   {RelativePath(host, run.SeedReport)}");
    }

    /// <summary>Rows methods, columns the task's metrics, cells mean and standard error over queries.</summary>
    internal static Table CreateTable(LampTask task, ResultsTable results)
    {
        var metrics = Metric.NarrowFor(task.Outcome);
        var table = new Table { Border = TableBorder.Rounded };
        table.AddColumn("method");
        foreach (var metric in metrics)
        {
            table.AddColumn(new TableColumn(metric.Name.ToUpperInvariant()).RightAligned());
        }

        foreach (var method in PredictionMethod.SortByTableOrder(results.Methods))
        {
            table.AddRow([MethodTitle(method), .. metrics.Select(metric => FormatCell(metric, method, results))]);
        }

        return table;
    }

    internal static string CountQueries(int count) => count == 1 ? "1 query" : FormatInvariant($"{count:#,0} queries");

    /// <summary>A method's heading, marked up.</summary>
    internal static string MethodTitle(string method) => TerminalText.ToMarkup(PredictionMethod.GetTitle(method));

    static string FormatCell(Metric metric, string method, ResultsTable results)
    {
        if (results.Find(method, metric.Name) is not { } cell)
        {
            return "-";
        }

        var means = results.Cells.Where(other => other.Metric == metric.Name).Select(other => other.Mean).ToList();
        var best = metric.Direction == MetricDirection.Lower ? means.Min() : means.Max();
        var text = DisplayFormat.MeanAndError(cell.OverQueries);
        if (cell.Mean == best)
        {
            text = $"[bold]{text}[/]";
        }

        return cell.SeedDeviation is { } deviation ? text + FormatInvariant($"\n[grey]sd {deviation:0.0000}[/]") : text;
    }

    static string FormatInvariant(FormattableString text) => FormattableString.Invariant(text);

    internal static string RelativePath(CommandHost host, string path)
    {
        var relative = Path.GetRelativePath(host.WorkingFolder, path);
        return relative.StartsWith("..", StringComparison.Ordinal) ? path : relative;
    }
}

/// <summary>
/// Paired tests in the terminal: the last method of the table against every other, in the metric that stands for the
/// task.
/// </summary>
static class SignificanceView
{
    /// <summary>Writes the tests; nothing where there is none.</summary>
    public static void Write(IAnsiConsole console, IReadOnlyList<SignificanceLine> lines, LampTask task)
    {
        var metric = Metric.HeadlineFor(task.Outcome);
        var ofMetric = lines.Where(line => line.Metric == metric.Name).ToList();
        var last = PredictionMethod.SortByTableOrder(ofMetric.Select(line => line.Method).Distinct()).LastOrDefault();
        var shown = ofMetric.Where(line => line.Method == last).ToList();
        if (shown.Count == 0)
        {
            return;
        }

        var table = new Table { Border = TableBorder.Simple };
        table.AddColumn(new TableColumn($"{ResultsView.MethodTitle(last!)} against") { NoWrap = true });
        foreach (var heading in (string[])[metric.Title, "95 %", "p", "helped", "hurt", "same"])
        {
            table.AddColumn(new TableColumn(heading) { NoWrap = true }.RightAligned());
        }

        foreach (var line in shown)
        {
            table.AddRow([
                ResultsView.MethodTitle(line.Baseline),
                DisplayFormat.Signed(line.Difference),
                FormatInterval(line),
                DisplayFormat.PValue(line.BootstrapP),
                $"{line.Helped}",
                $"{line.Hurt}",
                $"{line.Equal}",
            ]);
        }

        table.Caption = new TableTitle(
            DisplayFormat.TestNote(shown[0].Unit, shown[0].Helped + shown[0].Hurt + shown[0].Equal)
        );
        console.WriteNumbers(table);
        foreach (var sentence in SignificanceSentences.Create(ofMetric, metric))
        {
            console.WriteLine(sentence);
        }
    }

    static string FormatInterval(SignificanceLine line) =>
        line is { Low: { } low, High: { } high } ? $"{DisplayFormat.Signed(low)} to {DisplayFormat.Signed(high)}" : "-";
}
