using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;
using CoPe.Cli.Display;
using CoPe.Cli.Failures;
using CoPe.Cli.Hosting;
using CoPe.Cli.Sessions;
using CoPe.Experiments.Runs;
using CoPe.Experiments.Runs.Blocks;

namespace CoPe.Cli.Verbs;

/// <summary><c>cope status</c>.</summary>
static class StatusVerb
{
    static readonly JsonSerializerOptions JsonLayout = new()
    {
        WriteIndented = true,
        NewLine = "\n",
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static Command Create(CommandHost host)
    {
        var command = new Command(
            "status",
            "Show which stages of a run are complete, interrupted or out of date, and why."
        );
        var options = RunOptions.AddToInspection(command).AddJson(command);
        command.SetAction(parsed =>
        {
            var request = options.Read(host, parsed);
            if (request.Run is null && request.Recipe is null)
            {
                throw new UsageException("name a run, for example 'cope status runs/demo'; 'cope runs ls' lists them");
            }

            var (stages, blocks) = new RunSession(host, request).Inspect(
                context => (host.Pipeline.GetStatus(context), BlockStatus.List(host.Pipeline, context)),
                duringChange: true
            );
            if (request.IsJson)
            {
                WriteJson(host, stages);
            }
            else
            {
                foreach (var status in stages)
                {
                    WriteLine(host, status);
                }

                BlocksView.WriteSummary(host, blocks);
            }

            if (request.FindFolder(host) is { } run)
            {
                InterruptedRebuild.WriteUnfinished(host, run);
                if (ErasureJournal.DescribeInterrupted(run) is { } message)
                {
                    host.WriteMessage(message);
                }
            }

            return ExitCode.Ok;
        });
        return command;
    }

    static void WriteLine(CommandHost host, StageStatus status)
    {
        var reasons = status.Reasons.Count == 0 ? "" : ": " + string.Join("; ", status.Reasons);
        host.Out.WriteLine($"{status.Stage.Name,-18} {DescribeState(status.State)}{reasons}");
    }

    static void WriteJson(CommandHost host, IReadOnlyList<StageStatus> stages) =>
        host.Out.WriteLine(
            JsonSerializer.Serialize(
                stages.Select(status => new
                {
                    Stage = status.Stage.Name,
                    State = DescribeState(status.State),
                    status.Reasons,
                    Seconds = Math.Round(status.TimeSpent.TotalSeconds, 3),
                }),
                JsonLayout
            )
        );

    static string DescribeState(StageState state) =>
        state switch
        {
            StageState.Complete => "complete",
            StageState.Interrupted => "interrupted",
            StageState.Stale => "out of date",
            StageState.UsersChanged => "users changed",
            _ => "not run",
        };
}
