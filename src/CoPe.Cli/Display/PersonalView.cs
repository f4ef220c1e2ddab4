using CoPe.Cli.Hosting;
using CoPe.Cli.Terminal;
using CoPe.Experiments.Data.Importing;
using CoPe.Experiments.Report;
using CoPe.Experiments.Runs;
using CoPe.Experiments.Runs.Stages;
using Spectre.Console;

namespace CoPe.Cli.Display;

/// <summary>What a person is told of their texts, and of the model that learned them.</summary>
static class PersonalView
{
    const int ShownExamples = 2;
    const int MaxTextLength = 320;
    const int MaxFindings = 3;

    /// <summary>Writes how many texts were read, and what of them was left out, to the error stream.</summary>
    public static void WriteTexts(CommandHost host, PersonalReport report, bool isQuiet)
    {
        foreach (var problem in report.Problems)
        {
            host.WriteMessage(problem);
        }

        var own = report.Check.Files[0];
        foreach (var rule in report.Check.Findings.Rules.Where(rule => rule.Fix != "stays"))
        {
            // What is wrong with public data, or taken out of them, is not the person's business.
            var findings = report.Check.Findings.FirstOf(rule).Where(finding => finding.Location.File == own.File);
            foreach (var finding in findings.Take(MaxFindings))
            {
                host.WriteMessage($"{finding.Location.Item ?? "your texts"}: {rule.Summary} ({finding.Detail})");
            }
        }

        if (!isQuiet)
        {
            host.Error.WriteLine($"texts     {report.Texts} read, {own.Items} to learn from, {own.Queries} held out");
        }
    }

    /// <summary>Writes what was learned, what changed, and texts beside the person's own.</summary>
    public static void Write(CommandHost host, StageContext context)
    {
        var model = PersonSummary.Create(context);
        var console = host.CreateTableConsole();
        host.Out.WriteLine();
        host.Out.WriteLine($"{model.Person}: {model.DescribeTexts()}");
        if (model.Training is { } training)
        {
            host.Out.WriteLine($"training  {training}");
        }

        if (model.Comparison is { } comparison)
        {
            host.Out.WriteLine("what changed");
            foreach (var sentence in PersonText.Describe(comparison))
            {
                host.Out.WriteLine($"  {sentence}");
            }
        }

        foreach (var example in model.Examples.Take(ShownExamples))
        {
            var table = new Table { Border = TableBorder.Simple, ShowHeaders = false };
            table.AddColumn(new TableColumn("who") { NoWrap = true });
            table.AddColumn("text");
            table.AddRow("request", Shorten(example.Request));
            table.AddRow("you", Shorten(example.Own));
            table.AddRow("model", Shorten(example.Answer));
            if (example.Base is { } before)
            {
                table.AddRow("before", Shorten(before));
            }

            console.Write(table);
        }

        WriteFile(host, "page", context.Run.PersonPage);
        WriteFile(host, "report", context.Run.Report);
    }

    static void WriteFile(CommandHost host, string what, string path)
    {
        if (File.Exists(path))
        {
            host.Out.WriteLine($"{what,-9} {ResultsView.RelativePath(host, path)}");
        }
    }

    static string Shorten(string text)
    {
        var line = string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        return TerminalText.ToMarkup(line.Length == 0 ? "(nothing)" : MarkupText.Shorten(line, MaxTextLength));
    }
}
