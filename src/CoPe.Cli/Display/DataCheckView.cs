using System.Globalization;
using CoPe.Experiments.Data.Checking;
using CoPe.Experiments.Data.Importing;
using Spectre.Console;

namespace CoPe.Cli.Display;

/// <summary>A check's report for a person.</summary>
static class DataCheckView
{
    const int BarWidth = 40;

    public static void Write(CommandHost host, CheckTarget target, CheckReport report, int places)
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
        foreach (
            var (kind, lengths) in report
                .Words.Where(pair => pair.Key.EndsWith("answer", StringComparison.Ordinal))
                .Concat(report.Tokens)
                .Take(2)
        )
        {
            WriteHistogram(console, kind, lengths, report.Tokens.ContainsKey(kind) ? "tokens" : "words");
        }

        var texts = report.Languages.Sum(pair => pair.Value);
        console.MarkupLineInterpolated(
            $"languages: {string.Join(", ", report.Languages.Take(6).Select(pair => $"{pair.Key} {FormatShare(pair.Value, texts)} %"))}"
        );
        foreach (var cut in report.Truncations)
        {
            console.MarkupLineInterpolated($"will be cut: {cut}");
        }

        foreach (var rule in report.Findings.Rules)
        {
            WriteFindings(host, console, report, rule, (places, target.Folder));
        }

        WriteVerdict(console, report);
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
            table.AddRow([
                Markup.Escape(Path.GetFileName(file.File)),
                .. new[]
                {
                    file.Users,
                    file.Queries,
                    file.Items,
                    file.Histories.Min,
                    file.Histories.Median,
                    file.Histories.Max,
                }.Select(FormatNumber),
            ]);
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
                table.AddRow([
                    $"{kind}, {unit}",
                    .. new[] { lengths.Count, lengths.Min, lengths.Median, lengths.Percentile95, lengths.Max }.Select(
                        FormatNumber
                    ),
                ]);
            }
        }

        return table;
    }

    static void WriteHistogram(IAnsiConsole console, string kind, TextLengths lengths, string unit)
    {
        console.WriteLine($"{kind} by {unit}");
        var buckets = lengths.Histogram();
        var most = buckets.Max(bucket => bucket.Count);
        foreach (var bucket in buckets)
        {
            var range = bucket.From == bucket.To ? $"{bucket.From}" : $"{bucket.From}-{bucket.To}";
            console.WriteLine(
                $"{range,15} {FormatNumber(bucket.Count),9} {new string(console.Profile.Capabilities.Unicode ? '█' : '#', (int)Math.Ceiling(bucket.Count * (double)BarWidth / most))}"
            );
        }
    }

    static void WriteFindings(
        CommandHost host,
        IAnsiConsole console,
        CheckReport report,
        CheckRule rule,
        (int Count, string Folder) places
    )
    {
        var (word, colour) = rule.Severity == CheckSeverity.Error ? ("error", "red") : ("warning", "yellow");
        var count = report.Findings.CountOf(rule);
        console.MarkupLine(
            $"[{colour}]{word}[/] [bold]{rule.Name}[/], {(count == 1 ? "once" : $"{FormatNumber(count)} times")}: {Markup.Escape(rule.Summary)} [grey](a clean copy: {Markup.Escape(rule.Fix)})[/]"
        );
        var shown = report.Findings.FirstOf(rule).Take(places.Count).ToList();
        foreach (var finding in shown)
        {
            var place = finding.Location with { File = Path.GetRelativePath(places.Folder, finding.Location.File) };
            // Past the console, which would break the line: a place is searched for and piped.
            host.Out.WriteLine($"  {new CheckFinding(rule, place, finding.Detail)}");
        }

        if (count > shown.Count)
        {
            console.WriteLine($"  and {FormatNumber(count - shown.Count)} more (--all)");
        }
    }

    static void WriteVerdict(IAnsiConsole console, CheckReport report)
    {
        var (errors, warnings) = (report.Findings.Errors, report.Findings.Warnings);
        console.MarkupLine(
            errors == 0
                ? $"[green]fit for a run[/]: no errors, {DisplayFormat.Plural(warnings, "warning")}"
                : $"[red]not fit for a run[/]: {DisplayFormat.Plural(errors, "error")}, {DisplayFormat.Plural(warnings, "warning")}"
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

/// <summary>What became of a source's rows.</summary>
static class ImportView
{
    public static void Write(CommandHost host, ImportReport report)
    {
        WriteProblems(host, report.Problems, report.ProblemCount);
        var folder = Path.GetRelativePath(host.SearchFolders[0], report.Folder);
        host.Out.WriteLine(
            $"{DisplayFormat.Plural(report.Rows, "text")} read, {DisplayFormat.Plural(report.ProblemCount, "note")}"
        );
        WriteCheck(host, report.Check);
        host.Out.WriteLine($"task      {Path.Combine(folder, "task.yaml")}");
        host.Out.WriteLine($"recipe    {Path.Combine(folder, "recipe.yaml")}");
        host.Out.WriteLine(
            $"next      cope run {Path.Combine(folder, "recipe.yaml")} --run runs/{report.Definition.Task.Name}"
        );
    }

    /// <summary>What was left out or changed while reading.</summary>
    public static void WriteProblems(CommandHost host, IReadOnlyList<string> first, int count)
    {
        foreach (var problem in first)
        {
            host.Error.WriteLine($"cope: {problem}");
        }

        if (count > first.Count)
        {
            host.Error.WriteLine($"cope: and {count - first.Count} more");
        }
    }

    /// <summary>Users, items and queries of each file, and what the check took out.</summary>
    public static void WriteCheck(CommandHost host, CheckReport report)
    {
        foreach (var (kind, file) in ((string[])["test", "others"]).Zip(report.Files))
        {
            host.Out.WriteLine(
                $"{kind,-9} {DisplayFormat.Plural(file.Users, "user")}, {DisplayFormat.Plural(file.Items, "history item")} ({file.Histories.Min} to {file.Histories.Max} a user), {file.Queries} {(file.Queries == 1 ? "query" : "queries")}"
            );
        }

        foreach (var rule in report.Findings.Rules)
        {
            host.Out.WriteLine(
                $"{(rule.Severity == CheckSeverity.Error || rule.Fix != "stays" ? "taken out" : "noted"),-9} {report.Findings.CountOf(rule)} x {rule.Name}: {rule.Summary} ({rule.Fix})"
            );
            foreach (var finding in report.Findings.FirstOf(rule).Take(3))
            {
                host.Out.WriteLine(
                    $"          {finding.Location with { File = Path.GetFileName(finding.Location.File) }}: {finding.Detail}"
                );
            }
        }
    }
}
