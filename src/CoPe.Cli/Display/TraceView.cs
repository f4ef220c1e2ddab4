using System.Globalization;
using CoPe.Decoding;
using Spectre.Console;

namespace CoPe.Cli.Display;

/// <summary>A decoding's time by section.</summary>
static class TraceView
{
    public static void Write(CommandHost host, DecodingTrace trace)
    {
        var console = host.Tables();
        if (trace.Steps == 0)
        {
            console.WriteLine("Nothing was decoded, so there is no trace: the answers are there already (--again makes them anew).");
            return;
        }

        var all = trace.Sections.Sum(section => section.Time.TotalMilliseconds);
        var table = new Table { Border = TableBorder.Simple };
        table.AddColumn("section");
        foreach (var column in (string[])["ms per step", "share"]) table.AddColumn(new TableColumn(column).RightAligned());
        foreach (var (section, time) in trace.Sections)
            table.AddRow(section, Number(time.TotalMilliseconds / trace.Steps, "0.00"), Number(100 * time.TotalMilliseconds / all, "0.0") + " %");
        table.AddRow("all", Number(all / trace.Steps, "0.00"), "");
        console.Write(table);
        console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{trace.Steps:N0} steps of {(double)trace.Rows / trace.Steps:0.0} rows on average; times of batches on several cores are added up."));
        console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Prompts: {trace.PromptTokensComputed:N0} tokens computed, {trace.PromptTokensCopied:N0} copied from rows that begin alike and wear the same adapters."));
    }

    static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
