using System.CommandLine;
using CoPe.Cli.Hosting;
using CoPe.Cli.Sessions;
using CoPe.Experiments.Runs;

namespace CoPe.Cli.Verbs;

/// <summary><c>cope chat RUN --user NAME</c>.</summary>
static class ChatVerb
{
    public static Command Create(CommandHost host)
    {
        var command = new Command(
            "chat",
            "Talk to a user's model of a run. On a terminal the base model answers beside it; "
                + "/help for what can be changed."
        );
        var options = ChatOptions.AddTo(command);
        command.SetAction(parsed =>
            new RunSession(host, options.ReadRequest(parsed)).Inspect(opened =>
            {
                var context = options.ReadContext(parsed, opened);
                WarnAboutModel(host, context);
                // Piped answers are those of the user alone, unless '/base on' asks for both.
                var settings = options.ReadSessionOptions(parsed, context) with
                {
                    IncludesBase = host.IsOutputTerminal,
                };
                using var chat = new ChatLoop(host, context, options.ReadUser(parsed), settings);
                chat.Run();
                return ExitCode.Ok;
            })
        );
        return command;
    }

    /// <summary>Says where the model's files disagree, and that its weights are rounded where they are.</summary>
    public static void WarnAboutModel(CommandHost host, StageContext context)
    {
        ModelSource.WarnAboutConflicts(host, context.Recipe.Model, context.Inputs.Model, context.Workspace.Encoder);
        if (ModelLoader.GetWarning(context.Recipe.PredictionDtype()) is { } warning)
        {
            host.WriteMessage(warning);
        }
    }
}
