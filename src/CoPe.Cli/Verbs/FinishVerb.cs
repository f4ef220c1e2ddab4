using System.CommandLine;
using CoPe.Cli.Display;
using CoPe.Cli.Hosting;
using CoPe.Cli.Sessions;
using CoPe.Experiments.Runs.Blocks;

namespace CoPe.Cli.Verbs;

/// <summary><c>cope finish</c>.</summary>
static class FinishVerb
{
    public static Command Create(CommandHost host)
    {
        var command = new Command(
            "finish",
            "Put a run together from its blocks, evaluate and report it; refused while blocks are missing."
        );
        var options = RunOptions.AddToInspection(command).AddJson(command);
        command.SetAction(parsed =>
        {
            var request = options.Read(host, parsed);
            var context = new RunSession(host, request).Execute(
                (pipeline, context) => new RunFinish(pipeline, context).Execute()
            );
            ResultsView.Write(host, context, request.IsJson);
            return ExitCode.Ok;
        });
        return command;
    }
}
