using System.CommandLine;
using CoPe.Runs.Recipes;

namespace CoPe.Cli.Verbs;

/// <summary><c>cope predict --method M</c>.</summary>
static class PredictVerb
{
    public static Command Create(CommandHost host)
    {
        var command = new Command("predict", "Write the answers to the users' queries (stage 5).");
        var options = RunOptions.AddTo(command);
        var method = new Option<string[]>("--method") { Description = $"Method: {string.Join(", ", PredictionMethod.All.Select(known => known.Name))}; may be given several times; by default those of the recipe.", DefaultValueFactory = _ => [], HelpName = "name" };
        var again = new Option<bool>("--again") { Description = "Also where the answers are there already." };
        command.Options.Add(method);
        command.Options.Add(again);
        command.SetAction(parsed =>
        {
            var named = parsed.GetValue(method)!.Select(PredictionMethod.Of).ToList();
            var isAgain = parsed.GetValue(again);
            new RunSession(host, options.Read(parsed)).Work((pipeline, context) =>
            {
                foreach (var chosen in named.Count > 0 ? named : context.Recipe.Methods()) pipeline.RunOnly(context, "predict " + chosen.Name, isAgain);
            });
            return ExitCode.Ok;
        });
        return command;
    }
}
