using System.CommandLine;
using CoPe.Cli.Hosting;
using CoPe.Experiments.Runs;

namespace CoPe.Cli.Verbs;

/// <summary><c>cope report</c>.</summary>
static class ReportVerb
{
    public static Command Create(CommandHost host) =>
        new StageVerb(StageId.Report, "report", "Write the HTML report of a run.")
        {
            OnCompleted = (context, _) => host.Out.WriteLine(context.Run.Report),
        }.Create(host);
}
