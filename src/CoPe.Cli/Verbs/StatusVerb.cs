using System.CommandLine;
using System.Globalization;

namespace CoPe.Cli.Verbs;

/// <summary><c>cope status</c>.</summary>
static class StatusVerb
{
    public static Command Create(CommandHost host)
    {
        var command = new Command("status", "Show which stages of a run are complete, interrupted or out of date, and why.");
        var options = RunOptions.AddTo(command);
        command.SetAction(parsed =>
        {
            foreach (var status in new RunSession(host, options.Read(parsed)).Look(host.Pipeline.Status))
                host.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{status.Stage,-18} {Words(status.State)}{(status.Reasons.Count == 0 ? "" : ": " + string.Join("; ", status.Reasons))}"));
            return ExitCode.Ok;
        });
        return command;
    }

    static string Words(Runs.StageState state) => state switch
    {
        Runs.StageState.Complete => "complete",
        Runs.StageState.Interrupted => "interrupted",
        Runs.StageState.Stale => "out of date",
        _ => "not run",
    };
}
