using System.Globalization;
using CoPe.Data.Checking;
using Spectre.Console;

namespace CoPe.Cli.Display;

/// <summary>A check's report for a person.</summary>
static class DataCheckView
{
    const int BarWidth = 40;

    public static void Write(CommandHost host, CheckTarget target, CheckReport report, int places)
    {
        var console = host.Tables();
        console.MarkupLineInterpolated($"[bold]{report.Task}[/] in {target.Folder}");
        foreach (var file in target.Unread) console.MarkupLineInterpolated($"[grey]not checked, as no run reads it: {Path.GetFileName(file)} (name it to check it)[/]");
        console.Write(Files(report));
        console.Write(Lengths(report));
        foreach (var (kind, lengths) in report.Words.Where(pair => pair.Key.EndsWith("answer", StringComparison.Ordinal)).Concat(report.Tokens).Take(2)) Histogram(console, kind, lengths, report.Tokens.ContainsKey(kind) ? "tokens" : "words");
        var texts = report.Languages.Sum(pair => pair.Value);
        console.MarkupLineInterpolated($"languages: {string.Join(", ", report.Languages.Take(6).Select(pair => $"{pair.Key} {Share(pair.Value, texts)} %"))}");
        foreach (var cut in report.Truncations) console.MarkupLineInterpolated($"will be cut: {cut}");
        foreach (var rule in report.Findings.Rules) Findings(host, console, report, rule, (places, target.Folder));
        Verdict(console, report);
    }

    static Table Files(CheckReport report)
    {
        var table = new Table { Border = TableBorder.Simple };
        table.AddColumn(new TableColumn("file") { NoWrap = true, Padding = new Padding(0) });
        foreach (var column in (string[])["users", "queries", "items", "least", "median", "most"]) table.AddColumn(new TableColumn(column) { NoWrap = true, Padding = new Padding(1, 0, 0, 0) }.RightAligned());
        foreach (var file in report.Files)
            table.AddRow([Markup.Escape(Path.GetFileName(file.File)), .. new[] { file.Users, file.Queries, file.Items, file.Histories.Min, file.Histories.Median, file.Histories.Max }.Select(Number)]);
        return table;
    }

    static Table Lengths(CheckReport report)
    {
        var table = new Table { Border = TableBorder.Simple };
        table.AddColumn("lengths");
        foreach (var column in (string[])["texts", "least", "median", "95 in 100", "most"]) table.AddColumn(new TableColumn(column).RightAligned());
        foreach (var (unit, kinds) in new[] { ("words", report.Words), ("tokens", report.Tokens) })
            foreach (var (kind, lengths) in kinds)
                table.AddRow([$"{kind}, {unit}", .. new[] { lengths.Count, lengths.Min, lengths.Median, lengths.Percentile95, lengths.Max }.Select(Number)]);
        return table;
    }

    static void Histogram(IAnsiConsole console, string kind, TextLengths lengths, string unit)
    {
        console.WriteLine($"{kind} by {unit}");
        var buckets = lengths.Histogram();
        var most = buckets.Max(bucket => bucket.Count);
        foreach (var bucket in buckets)
        {
            var range = bucket.From == bucket.To ? $"{bucket.From}" : $"{bucket.From}-{bucket.To}";
            console.WriteLine($"{range,15} {Number(bucket.Count),9} {new string(console.Profile.Capabilities.Unicode ? '█' : '#', (int)Math.Ceiling(bucket.Count * (double)BarWidth / most))}");
        }
    }

    static void Findings(CommandHost host, IAnsiConsole console, CheckReport report, CheckRule rule, (int Count, string Folder) places)
    {
        var (word, colour) = rule.Severity == CheckSeverity.Error ? ("error", "red") : ("warning", "yellow");
        var count = report.Findings.CountOf(rule);
        console.MarkupLine($"[{colour}]{word}[/] [bold]{rule.Name}[/], {(count == 1 ? "once" : $"{Number(count)} times")}: {Markup.Escape(rule.Summary)} [grey](a clean copy: {Markup.Escape(rule.Fix)})[/]");
        var shown = report.Findings.Of(rule).Take(places.Count).ToList();
        foreach (var finding in shown)
        {
            var place = finding.Place with { File = Path.GetRelativePath(places.Folder, finding.Place.File) };
            // Past the console, which would break the line: a place is searched for and piped.
            host.Out.WriteLine($"  {new CheckFinding(rule, place, finding.Detail)}");
        }

        if (count > shown.Count) console.WriteLine($"  and {Number(count - shown.Count)} more (--all)");
    }

    static void Verdict(IAnsiConsole console, CheckReport report)
    {
        var (errors, warnings) = (report.Findings.Errors, report.Findings.Warnings);
        console.MarkupLine(errors == 0 ? $"[green]fit for a run[/]: no errors, {Words.Plural(warnings, "warning")}" : $"[red]not fit for a run[/]: {Words.Plural(errors, "error")}, {Words.Plural(warnings, "warning")}");
        if (report.IsFixed) console.MarkupLine("[green]a clean copy was written[/]");
        console.WriteLine();
    }

    static string Share(int part, int all) => 1000L * part < all ? "<0.1" : (100.0 * part / all).ToString("0.#", CultureInfo.InvariantCulture);

    static string Number(int value) => value.ToString("#,0", CultureInfo.InvariantCulture);
}
