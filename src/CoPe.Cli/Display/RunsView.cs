using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using CoPe.Cli.Hosting;
using Spectre.Console;

namespace CoPe.Cli.Display;

/// <summary>Runs as a table that fits the terminal, as a few lines each where that is narrow, or as JSON.</summary>
static class RunsView
{
    const int NarrowestTable = 72;
    const int NarrowestColumn = 8;
    const int Gap = 2;

    static readonly string[] Headings = ["run", "model", "data", "users", "state", "time", "best"];

    /// <summary>Columns that are cut where the table is too wide.</summary>
    static readonly int[] Flexible = [0, 1, 2, 4];

    /// <summary>Columns of numbers.</summary>
    static readonly int[] RightAligned = [3, 5];

    static readonly JsonSerializerOptions JsonLayout = new()
    {
        WriteIndented = true,
        NewLine = "\n",
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Writes the runs.</summary>
    /// <param name="host">The environment of the command.</param>
    /// <param name="runs">The runs.</param>
    /// <param name="includesInner">Also those within them, each below its own.</param>
    public static void Write(CommandHost host, IReadOnlyList<RunSummary> runs, bool includesInner)
    {
        var console = host.CreateTableConsole();
        var lines = runs.SelectMany(run => Flatten(run, includesInner, depth: 0)).ToList();
        if (console.Profile.Width < NarrowestTable)
        {
            WriteBlocks(console, lines);
        }
        else
        {
            WriteTable(console, [Headings, .. lines.Select(line => line.Cells)]);
        }
    }

    /// <summary>Writes the runs and those within them as JSON.</summary>
    public static void WriteJson(CommandHost host, IReadOnlyList<RunSummary> runs) =>
        host.Out.WriteLine(JsonSerializer.Serialize(runs.Select(ToJson), JsonLayout));

    static object ToJson(RunSummary run) =>
        new
        {
            run.Run,
            run.Task,
            run.Model,
            run.Data,
            run.Users,
            run.State,
            Seconds = Math.Round(run.Time.TotalSeconds, 3),
            Best = run.Best is { } best
                ? new
                {
                    best.Metric,
                    best.Method,
                    best.Mean,
                    Se = best.StandardError,
                }
                : null,
            Runs = run.Runs.Select(ToJson),
        };

    static IEnumerable<Line> Flatten(RunSummary run, bool includesInner, int depth)
    {
        yield return CreateLine(run, depth);
        foreach (var line in includesInner ? run.Runs.SelectMany(inner => Flatten(inner, true, depth + 1)) : [])
        {
            yield return line;
        }
    }

    static Line CreateLine(RunSummary run, int depth)
    {
        var inner = run.Runs.Count > 0 ? $" (+{run.Runs.Count})" : "";
        var name = depth == 0 ? run.Run : new string(' ', 2 * depth) + Path.GetFileName(run.Run);
        return new(
            run,
            [
                name + inner,
                GetLastPart(run.Model),
                run.Data is ['.', ..] ? run.Data : GetLastPart(run.Data),
                run.Users?.ToString(CultureInfo.InvariantCulture) ?? "-",
                run.State,
                run.Time > TimeSpan.Zero ? DisplayFormat.Duration(run.Time) : "-",
                DescribeBest(run.Best),
            ]
        );
    }

    static string DescribeBest(BestFigure? best) =>
        best is null
            ? "-"
            : string.Create(CultureInfo.InvariantCulture, $"{best.Metric} {best.Mean:0.0000} {best.Method}");

    /// <summary>The folder's name, or that of a model of the hub.</summary>
    static string GetLastPart(string? path) =>
        path is null ? "-"
        : Path.GetFileName(Path.TrimEndingDirectorySeparator(path)) is { Length: > 0 } name ? name
        : path;

    static void WriteTable(IAnsiConsole console, List<string[]> rows)
    {
        var widths = Headings.Select((_, column) => rows.Max(row => row[column].Length)).ToArray();
        while (widths.Sum() + (Gap * (widths.Length - 1)) > console.Profile.Width)
        {
            var widest = Flexible.MaxBy(column => widths[column]);
            if (widths[widest] <= NarrowestColumn)
            {
                break;
            }

            widths[widest]--;
        }

        foreach (var row in rows)
        {
            var cells = row.Select((cell, column) => Fit(cell, widths[column], RightAligned.Contains(column)));
            console.WriteLine(string.Join(new string(' ', Gap), cells).TrimEnd());
        }
    }

    static void WriteBlocks(IAnsiConsole console, List<Line> lines)
    {
        foreach (var (run, cells) in lines)
        {
            var users = run.Users is { } count ? DisplayFormat.Plural(count, "user") : "no users yet";
            var time = run.Time > TimeSpan.Zero ? $" in {cells[5]}" : "";
            console.WriteLine($"{cells[0]}: {run.State}{time}");
            console.WriteLine($"  {cells[1]}, {cells[2]}, {users}");
            if (run.Best is not null)
            {
                console.WriteLine($"  {cells[6]}");
            }
        }
    }

    static string Fit(string text, int width, bool isRightAligned)
    {
        var cut = text.Length > width ? text[..(width - 1)] + "…" : text;
        return isRightAligned ? cut.PadLeft(width) : cut.PadRight(width);
    }

    /// <summary>A run and its cells.</summary>
    sealed record Line(RunSummary Run, string[] Cells);
}
