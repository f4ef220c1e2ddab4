using CoPe.Data.Checking;
using CoPe.Data.Importing;

namespace CoPe.Cli.Display;

/// <summary>What became of a source's rows.</summary>
static class ImportView
{
    const int Shown = 20;

    public static void Write(CommandHost host, ImportReport report)
    {
        foreach (var problem in report.Problems.Take(Shown)) host.Error.WriteLine($"cope: {problem}");
        if (report.Problems.Count > Shown) host.Error.WriteLine($"cope: and {report.Problems.Count - Shown} more");
        var folder = Path.GetRelativePath(host.Roots[0], report.Folder);
        host.Out.WriteLine($"{report.Rows} texts read, {report.Problems.Count} notes");
        WriteCheck(host, report.Check);
        host.Out.WriteLine($"task      {Path.Combine(folder, "task.yaml")}");
        host.Out.WriteLine($"recipe    {Path.Combine(folder, "recipe.yaml")}");
        host.Out.WriteLine($"next      cope run {Path.Combine(folder, "recipe.yaml")} --run runs/{report.Definition.Task.Name}");
    }

    /// <summary>Users, items and queries of each file, and what the check took out.</summary>
    public static void WriteCheck(CommandHost host, CheckReport report)
    {
        foreach (var (kind, file) in ((string[])["test", "others"]).Zip(report.Files))
            host.Out.WriteLine($"{kind,-9} {file.Users} users, {file.Items} history items ({file.Histories.Min} to {file.Histories.Max} a user), {file.Queries} queries");
        foreach (var rule in report.Findings.Rules)
        {
            host.Out.WriteLine($"{(rule.Severity == CheckSeverity.Error || rule.Fix != "stays" ? "taken out" : "noted"),-9} {report.Findings.CountOf(rule)} x {rule.Name}: {rule.Summary} ({rule.Fix})");
            foreach (var finding in report.Findings.Of(rule).Take(3)) host.Out.WriteLine($"          {finding.Place with { File = Path.GetFileName(finding.Place.File) }}: {finding.Detail}");
        }
    }
}
