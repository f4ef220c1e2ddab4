using System.CommandLine;
using CoPe.Cli.Endpoint;
using CoPe.Runs;

namespace CoPe.Cli.Verbs;

/// <summary>A verb that runs one stage alone.</summary>
static class StageVerb
{
    public static Command Create(CommandHost host, string verb, string stage, string description, Action<StageContext, RunRequest>? after = null, EndpointArguments? endpoint = null, bool trainsUsers = false, string? dtypeKey = null)
    {
        var command = new Command(verb, description);
        var options = RunOptions.AddTo(command, trainsUsers: trainsUsers, dtypeKey: dtypeKey);
        var again = new Option<bool>("--again") { Description = "Also where the stage is complete already." };
        command.Options.Add(again);
        endpoint?.AddTo(command);
        command.SetAction(parsed =>
        {
            var request = options.Read(parsed);
            var isAgain = parsed.GetValue(again);
            var context = new RunSession(host, request).Work((pipeline, context) => pipeline.RunOnly(endpoint is null ? context : endpoint.Apply(parsed, context), stage, isAgain));
            after?.Invoke(context, request);
            return ExitCode.Ok;
        });
        return command;
    }
}
