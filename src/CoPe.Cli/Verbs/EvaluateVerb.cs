using System.CommandLine;
using CoPe.Cli.Display;

namespace CoPe.Cli.Verbs;

/// <summary><c>cope evaluate</c>.</summary>
static class EvaluateVerb
{
    public static Command Create(CommandHost host) => StageVerb.Create(host, "evaluate", "evaluate", "Measure the answers against the users' own texts (stage 6) and show the table.",
        (context, request) => ResultsView.Write(host, context, request.IsJson));
}
