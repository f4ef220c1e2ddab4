using CoPe.Data.Checking;
using CoPe.Data.Importing;

namespace CoPe.Cli.Display;

/// <summary>What became of a source's rows.</summary>
static class ImportView
{
    public static void Write(CommandHost host, ImportReport report)
    {
        WriteProblems(host, report.Problems, report.ProblemCount);
        var folder = Path.GetRelativePath(host.Roots[0], report.Folder);
        host.Out.WriteLine($"{Words.Plural(report.Rows, "text")} read, {Words.Plural(report.ProblemCount, "note")}");
        WriteCheck(host, report.Check);
        host.Out.WriteLine($"task      {Path.Combine(folder, "task.yaml")}");
        host.Out.WriteLine($"recipe    {Path.Combine(folder, "recipe.yaml")}");
        host.Out.WriteLine($"next      cope run {Path.Combine(folder, "recipe.yaml")} --run runs/{report.Definition.Task.Name}");
    }

    /// <summary>What was left out or changed while reading.</summary>
    public static void WriteProblems(CommandHost host, IReadOnlyList<string> first, int count)
    {
        foreach (var problem in first) host.Error.WriteLine($"cope: {problem}");
        if (count > first.Count) host.Error.WriteLine($"cope: and {count - first.Count} more");
    }

    /// <summary>Users, items and queries of each file, and what the check took out.</summary>
    public static void WriteCheck(CommandHost host, CheckReport report)
    {
        foreach (var (kind, file) in ((string[])["test", "others"]).Zip(report.Files))
            host.Out.WriteLine($"{kind,-9} {Words.Plural(file.Users, "user")}, {Words.Plural(file.Items, "history item")} ({file.Histories.Min} to {file.Histories.Max} a user), {file.Queries} {(file.Queries == 1 ? "query" : "queries")}");
        foreach (var rule in report.Findings.Rules)
        {
            host.Out.WriteLine($"{(rule.Severity == CheckSeverity.Error || rule.Fix != "stays" ? "taken out" : "noted"),-9} {report.Findings.CountOf(rule)} x {rule.Name}: {rule.Summary} ({rule.Fix})");
            foreach (var finding in report.Findings.Of(rule).Take(3)) host.Out.WriteLine($"          {finding.Place with { File = Path.GetFileName(finding.Place.File) }}: {finding.Detail}");
        }
    }
}
