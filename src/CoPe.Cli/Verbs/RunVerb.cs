using System.CommandLine;
using CoPe.Cli.Display;

namespace CoPe.Cli.Verbs;

/// <summary><c>cope run RECIPE</c>.</summary>
static class RunVerb
{
    public static Command Create(CommandHost host)
    {
        var command = new Command("run", "Run all stages of a recipe in order; what is complete is kept, what was interrupted goes on.");
        var options = RunOptions.AddTo(command);
        command.SetAction(parsed =>
        {
            var request = options.Read(parsed);
            var context = new RunSession(host, request).Work((pipeline, context) => pipeline.Run(context));
            ResultsView.Write(host, context, request.IsJson);
            return ExitCode.Ok;
        });
        return command;
    }
}
