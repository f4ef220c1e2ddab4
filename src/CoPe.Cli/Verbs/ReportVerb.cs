using System.CommandLine;

namespace CoPe.Cli.Verbs;

/// <summary><c>cope report</c>.</summary>
static class ReportVerb
{
    public static Command Create(CommandHost host) => StageVerb.Create(host, "report", "report", "Write the HTML report of a run.",
        (context, _) => host.Out.WriteLine(context.Run.Report));
}
