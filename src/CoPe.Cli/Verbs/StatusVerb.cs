using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace CoPe.Cli.Verbs;

/// <summary><c>cope status</c>.</summary>
static class StatusVerb
{
    static readonly JsonSerializerOptions Layout = new() { WriteIndented = true, NewLine = "\n", PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Command Create(CommandHost host)
    {
        var command = new Command("status", "Show which stages of a run are complete, interrupted or out of date, and why.");
        var options = RunOptions.AddTo(command).WithJson(command);
        command.SetAction(parsed =>
        {
            var request = options.Read(parsed);
            var stages = new RunSession(host, request).Look(host.Pipeline.Status);
            if (request.IsJson) WriteJson(host, stages);
            else foreach (var status in stages) host.Out.WriteLine($"{status.Stage,-18} {Words(status.State)}{(status.Reasons.Count == 0 ? "" : ": " + string.Join("; ", status.Reasons))}");
            return ExitCode.Ok;
        });
        return command;
    }

    static void WriteJson(CommandHost host, IReadOnlyList<Runs.StageStatus> stages) => host.Out.WriteLine(JsonSerializer.Serialize(
        stages.Select(status => new { status.Stage, State = Words(status.State), status.Reasons, Seconds = Math.Round(status.Spent.TotalSeconds, 3) }), Layout));

    static string Words(Runs.StageState state) => state switch
    {
        Runs.StageState.Complete => "complete",
        Runs.StageState.Interrupted => "interrupted",
        Runs.StageState.Stale => "out of date",
        _ => "not run",
    };
}
