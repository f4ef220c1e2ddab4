using System.CommandLine;
using System.Globalization;
using CoPe.Cli.Display;
using CoPe.Cli.Failures;
using CoPe.Cli.Hosting;
using CoPe.Cli.Sessions;
using CoPe.Experiments.Runs;
using CoPe.Experiments.Runs.Chat;
using CoPe.Experiments.Runs.Recipes;

namespace CoPe.Cli.Verbs;

/// <summary><c>cope chat RUN --user NAME</c>.</summary>
static class ChatVerb
{
    /// <summary>Commands inside the chat, and what each does.</summary>
    static readonly (string Usage, string Summary)[] ChatCommands =
    [
        ("/contrast 0.3", "weight of the contrast"),
        ("/tokens 200", "most tokens of an answer"),
        ("/base on|off", "the base model's answer beside the user's"),
        ("/words task|off", "the line in the task's prompt, or as it is"),
        ("/quit", "ends the chat, as Ctrl-D does; Ctrl-C stops an answer"),
    ];

    public static Command Create(CommandHost host)
    {
        var command = new Command(
            "chat",
            "Talk to a user's model of a run; every line is a request. "
                + "Base and personal answer side by side, /help for what can be changed."
        );
        var run = new Argument<string>("run") { Description = "Folder of the run." };
        var user = new Option<string?>("--user")
        {
            Description = "User; may be left out where there is one.",
            HelpName = "id",
        };
        var contrast = new Option<double?>("--contrast")
        {
            Description = "Weight of the contrast; by default the run's.",
            HelpName = "x",
        };
        var dtype = DecodeDtypeOption.Create();
        var verbose = new Option<bool>("--verbose") { Description = "The stack trace of an error." };
        command.Arguments.Add(run);
        command.AddOptions(user, contrast, dtype, verbose);
        command.SetAction(parsed =>
        {
            var request = new RunRequest
            {
                Run = parsed.GetValue(run),
                Overrides = DecodeDtypeOption.ReadOverrides(parsed, dtype),
                IsQuiet = true,
            };
            return new RunSession(host, request).Inspect(context =>
                Chat(host, context, parsed.GetValue(user), parsed.GetValue(contrast))
            );
        });
        return command;
    }

    static int Chat(CommandHost host, StageContext context, string? user, double? contrast)
    {
        if (context.Recipe.PredictionDtype() == WeightDtype.Int8)
        {
            host.WriteMessage(ModelLoader.Int8Warning);
        }

        using var session = new ChatSession(context, user);
        var options = new ChatSessionOptions { Contrast = contrast ?? context.Recipe.Decode.Decoding.Contrast };
        host.WriteMessage(
            $"{session.User}, contrast {Format(options.Contrast)}; "
                + "a line is a request, /help says what can be changed"
        );
        AnswerLines(host, session, options);
        return ExitCode.Ok;
    }

    static void AnswerLines(CommandHost host, ChatSession session, ChatSessionOptions options)
    {
        var view = new ChatView(host, session.User);
        CancellationTokenSource? answering = null;
        // Ctrl-C stops the answer in progress; at the prompt it ends the command.
        using var handler = host.Interrupts.Replace(() =>
        {
            answering?.Cancel();
            return answering is not null;
        });
        while (view.ReadLine() is { } line)
        {
            if (string.IsNullOrWhiteSpace(line))
            {
                continue;
            }

            if (line.Trim() is "/quit" or "/exit")
            {
                return;
            }

            using var stop = CancellationTokenSource.CreateLinkedTokenSource(host.Cancellation);
            answering = stop;
            try
            {
                if (line.StartsWith('/'))
                {
                    options = ApplyCommand(host, options, line.Trim());
                }
                else
                {
                    view.ShowAnswers(options, onPiece => session.Answer(line, options, onPiece, stop.Token));
                }
            }
            catch (Exception error) when (error is UsageException or ArgumentException or RunException)
            {
                host.WriteMessage(Failure.Describe(error));
            }
            catch (OperationCanceledException) when (!host.Cancellation.IsCancellationRequested)
            {
                host.WriteMessage("the answer was stopped");
            }

            answering = null;
        }
    }

    static ChatSessionOptions ApplyCommand(CommandHost host, ChatSessionOptions options, string line)
    {
        if (line == "/help")
        {
            foreach (var (usage, summary) in ChatCommands)
            {
                host.Error.WriteLine($"{usage,-16} {summary}");
            }

            return options;
        }

        var changed = Change(options, line);
        var limit = changed.MaxNewTokens is { } tokens ? $", {tokens} tokens" : "";
        host.WriteMessage(
            $"contrast {Format(changed.Contrast)}, base {(changed.IncludesBase ? "on" : "off")}, "
                + $"words {(changed.UsesTaskPrompt ? "task" : "off")}{limit}"
        );
        return changed;
    }

    static ChatSessionOptions Change(ChatSessionOptions options, string line)
    {
        var words = line.Split(' ', 2, StringSplitOptions.TrimEntries);
        var (name, value) = (words[0], words.Length > 1 ? words[1] : "");
        var culture = CultureInfo.InvariantCulture;
        switch (name)
        {
            case "/contrast" when double.TryParse(value, NumberStyles.Float, culture, out var contrast):
                return options with { Contrast = contrast };
            case "/tokens" when int.TryParse(value, NumberStyles.None, culture, out var tokens) && tokens > 0:
                return options with { MaxNewTokens = tokens };
            case "/base" when value is "on" or "off":
                return options with { IncludesBase = value == "on" };
            case "/words" when value is "task" or "off":
                return options with { UsesTaskPrompt = value == "task" };
        }

        var known = Array.Find(ChatCommands, command => command.Usage.Split(' ')[0] == name).Usage;
        throw new UsageException(
            known is null
                ? $"'{name}' is no command; /help lists them"
                : $"'{line}' is not understood; the command is {known}"
        );
    }

    static string Format(double value) => value.ToString(CultureInfo.InvariantCulture);
}
