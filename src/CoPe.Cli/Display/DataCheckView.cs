using System.Globalization;
using CoPe.Cli.Hosting;
using CoPe.Cli.Terminal;
using CoPe.Experiments.Data.Checking;
using CoPe.Experiments.Data.Importing;
using Spectre.Console;

namespace CoPe.Cli.Display;

/// <summary>A check's report for a person.</summary>
static class DataCheckView
{
    const int BarWidth = 40;

    public static void Write(CommandHost host, CheckTarget target, CheckReport report, int maxFindings)
    {
        var console = host.CreateTableConsole();
        console.MarkupLineInterpolated($"[bold]{report.Task}[/] in {target.Folder}");
        foreach (var file in target.UnreadFiles)
        {
            console.MarkupLineInterpolated(
                $"[grey]not checked, as no run reads it: {Path.GetFileName(file)} (name it to check it)[/]"
            );
        }

        console.Write(CreateFilesTable(report));
        console.Write(CreateLengthsTable(report));
        var histograms = report
            .Words.Where(pair => pair.Key.EndsWith("answer", StringComparison.Ordinal))
            .Concat(report.Tokens)
            .Take(2);
        foreach (var (kind, lengths) in histograms)
        {
            WriteHistogram(console, kind, lengths, report.Tokens.ContainsKey(kind) ? "tokens" : "words");
        }

        WriteLanguages(console, report);
        foreach (var truncation in report.Truncations)
        {
            console.MarkupLineInterpolated($"will be truncated: {truncation}");
        }

        foreach (var rule in report.Findings.Rules)
        {
            WriteRule(console, report, rule);
            WriteFindings(host, report.Findings, rule, target.Folder, maxFindings);
        }

        WriteVerdict(console, report);
    }

    static void WriteLanguages(IAnsiConsole console, CheckReport report)
    {
        var texts = report.Languages.Sum(pair => pair.Value);
        var shares = report.Languages.Take(6).Select(pair => $"{pair.Key} {FormatShare(pair.Value, texts)} %");
        console.MarkupLineInterpolated($"languages: {string.Join(", ", shares)}");
    }

    static Table CreateFilesTable(CheckReport report)
    {
        var table = new Table { Border = TableBorder.Simple };
        table.AddColumn(new TableColumn("file") { NoWrap = true, Padding = new Padding(0) });
        foreach (var column in (string[])["users", "queries", "items", "least", "median", "most"])
        {
            table.AddColumn(
                new TableColumn(column) { NoWrap = true, Padding = new Padding(1, 0, 0, 0) }.RightAligned()
            );
        }

        foreach (var file in report.Files)
        {
            table.AddRow(
                TerminalText.ToMarkup(Path.GetFileName(file.File)),
                FormatNumber(file.Users),
                FormatNumber(file.Queries),
                FormatNumber(file.Items),
                FormatNumber(file.Histories.Min),
                FormatNumber(file.Histories.Median),
                FormatNumber(file.Histories.Max)
            );
        }

        return table;
    }

    static Table CreateLengthsTable(CheckReport report)
    {
        var table = new Table { Border = TableBorder.Simple };
        table.AddColumn("lengths");
        foreach (var column in (string[])["texts", "least", "median", "95 in 100", "most"])
        {
            table.AddColumn(new TableColumn(column).RightAligned());
        }

        foreach (var (unit, kinds) in new[] { ("words", report.Words), ("tokens", report.Tokens) })
        {
            foreach (var (kind, lengths) in kinds)
            {
                table.AddRow(
                    $"{kind}, {unit}",
                    FormatNumber(lengths.Count),
                    FormatNumber(lengths.Min),
                    FormatNumber(lengths.Median),
                    FormatNumber(lengths.Percentile95),
                    FormatNumber(lengths.Max)
                );
            }
        }

        return table;
    }

    static void WriteHistogram(IAnsiConsole console, string kind, TextLengths lengths, string unit)
    {
        console.WriteLine($"{kind} by {unit}");
        var buckets = lengths.Histogram();
        var largest = buckets.Max(bucket => bucket.Count);
        var block = console.Profile.Capabilities.Unicode ? '█' : '#';
        foreach (var bucket in buckets)
        {
            var range = bucket.From == bucket.To ? $"{bucket.From}" : $"{bucket.From}-{bucket.To}";
            var bar = new string(block, (int)Math.Ceiling(bucket.Count * (double)BarWidth / largest));
            console.WriteLine($"{range,15} {FormatNumber(bucket.Count),9} {bar}");
        }
    }

    static void WriteRule(IAnsiConsole console, CheckReport report, CheckRule rule)
    {
        var severity = rule.Severity == CheckSeverity.Error ? "[red]error[/]" : "[yellow]warning[/]";
        var count = report.Findings.CountOf(rule);
        var times = count == 1 ? "once" : $"{FormatNumber(count)} times";
        var fix = $"[grey](a clean copy: {TerminalText.ToMarkup(rule.Fix)})[/]";
        console.MarkupLine($"{severity} [bold]{rule.Name}[/], {times}: {TerminalText.ToMarkup(rule.Summary)} {fix}");
    }

    /// <summary>
    /// A line per finding, written past the console, which would wrap it: such lines are searched and piped.
    /// </summary>
    static void WriteFindings(CommandHost host, CheckFindings findings, CheckRule rule, string folder, int max)
    {
        var shown = findings.FirstOf(rule).Take(max).ToList();
        foreach (var finding in shown)
        {
            var file = Path.GetRelativePath(folder, finding.Location.File);
            var location = finding.Location with { File = file };
            host.Out.WriteLine($"  {new CheckFinding(rule, location, finding.Detail)}");
        }

        var rest = findings.CountOf(rule) - shown.Count;
        if (rest > 0)
        {
            host.Out.WriteLine($"  and {FormatNumber(rest)} more (--all)");
        }
    }

    static void WriteVerdict(IAnsiConsole console, CheckReport report)
    {
        var warnings = DisplayFormat.Plural(report.Findings.Warnings, "warning");
        var errors = DisplayFormat.Plural(report.Findings.Errors, "error");
        console.MarkupLine(
            report.Findings.Errors == 0
                ? $"[green]fit for a run[/]: no errors, {warnings}"
                : $"[red]not fit for a run[/]: {errors}, {warnings}"
        );
        if (report.IsFixed)
        {
            console.MarkupLine("[green]a clean copy was written[/]");
        }

        console.WriteLine();
    }

    static string FormatShare(int part, int all) =>
        1000L * part < all ? "<0.1" : (100.0 * part / all).ToString("0.#", CultureInfo.InvariantCulture);

    static string FormatNumber(int value) => value.ToString("#,0", CultureInfo.InvariantCulture);
}

/// <summary>The result of an import or a build, for a person.</summary>
static class ImportView
{
    public static void Write(CommandHost host, ImportReport report)
    {
        WriteProblems(host, report.Problems, report.ProblemCount);
        var folder = Path.GetRelativePath(host.WorkingFolder, report.Folder);
        var recipe = Path.Combine(folder, "recipe.yaml");
        var texts = DisplayFormat.Plural(report.Rows, "text");
        host.Out.WriteLine($"{texts} read, {DisplayFormat.Plural(report.ProblemCount, "note")}");
        WriteCheck(host, report.Check);
        host.Out.WriteLine($"task      {Path.Combine(folder, "task.yaml")}");
        host.Out.WriteLine($"recipe    {recipe}");
        host.Out.WriteLine($"next      cope run {recipe} --run runs/{report.Definition.Task.Name}");
    }

    /// <summary>What was left out or changed while reading.</summary>
    public static void WriteProblems(CommandHost host, IReadOnlyList<string> first, int count)
    {
        foreach (var problem in first)
        {
            host.WriteMessage(problem);
        }

        if (count > first.Count)
        {
            host.WriteMessage($"and {count - first.Count} more");
        }
    }

    /// <summary>Users, items and queries of each file, and what the check took out.</summary>
    public static void WriteCheck(CommandHost host, CheckReport report)
    {
        foreach (var (kind, file) in ((string[])["test", "others"]).Zip(report.Files))
        {
            WriteFile(host, kind, file);
        }

        foreach (var rule in report.Findings.Rules)
        {
            WriteRule(host, report.Findings, rule);
        }
    }

    static void WriteFile(CommandHost host, string kind, CheckedFile file)
    {
        var users = DisplayFormat.Plural(file.Users, "user");
        var items = DisplayFormat.Plural(file.Items, "history item");
        var perUser = $"{file.Histories.Min} to {file.Histories.Max} a user";
        var queries = file.Queries == 1 ? "1 query" : $"{file.Queries} queries";
        host.Out.WriteLine($"{kind,-9} {users}, {items} ({perUser}), {queries}");
    }

    static void WriteRule(CommandHost host, CheckFindings findings, CheckRule rule)
    {
        var isRemoved = rule.Severity == CheckSeverity.Error || rule.Fix != "stays";
        var action = isRemoved ? "taken out" : "noted";
        host.Out.WriteLine($"{action,-9} {findings.CountOf(rule)} x {rule.Name}: {rule.Summary} ({rule.Fix})");
        foreach (var finding in findings.FirstOf(rule).Take(3))
        {
            var location = finding.Location with { File = Path.GetFileName(finding.Location.File) };
            host.Out.WriteLine($"          {location}: {finding.Detail}");
        }
    }
}
