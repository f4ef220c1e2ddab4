using System.CommandLine;
using CoPe.Cli.Display;
using CoPe.Runs.Examples;

namespace CoPe.Cli.Verbs.Data;

/// <summary><c>cope data show</c>.</summary>
static class DataShowVerb
{
    public static Command Create(CommandHost host)
    {
        var command = new Command("show", "Show an example exactly as the model sees it in a stage: wording, tokens, which are learned, where it is cut.");
        var options = RunOptions.AddTo(command);
        var stage = new Option<SeenStage>("--stage") { Description = "tam (a training query), sft or dpo (a history item), predict (a query).", DefaultValueFactory = _ => SeenStage.Sft };
        var user = new Option<string?>("--user") { Description = "User; by default the first.", HelpName = "id" };
        var item = new Option<string?>("--item") { Description = "History item or query; by default the first.", HelpName = "id" };
        foreach (var option in (Option[])[stage, user, item]) command.Options.Add(option);
        command.SetAction(parsed =>
        {
            var seen = new RunSession(host, options.Read(parsed)).Look(context => new SeenExamples(context).Of(parsed.GetValue(stage), parsed.GetValue(user), parsed.GetValue(item)));
            SeenExampleView.Write(host, seen);
            return ExitCode.Ok;
        });
        return command;
    }
}
