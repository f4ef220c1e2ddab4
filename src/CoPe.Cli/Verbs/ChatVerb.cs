using System.CommandLine;
using System.Globalization;
using CoPe.Cli.Display;
using CoPe.Experiments.Runs;
using CoPe.Experiments.Runs.Chat;
using CoPe.Experiments.Runs.Recipes;

namespace CoPe.Cli.Verbs;

/// <summary><c>cope chat RUN --user NAME</c>.</summary>
static class ChatVerb
{
    const string CommandHelp =
        "/contrast 0.3    weight of the contrast\n/tokens 200      most tokens of an answer\n/base on|off     the base model beside\n/words task|off  the line worded as the task words a request, or as it is\n/quit            ends the chat, as Ctrl-D does; Ctrl-C stops an answer";

    public static Command Create(CommandHost host)
    {
        var command = new Command(
            "chat",
            "Talk to a user's model of a run; every line is a request. Base and personal answer side by side, /help for what can be changed."
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
        var verbose = new Option<bool>("--verbose") { Description = "The origin of errors." };
        command.Arguments.Add(run);
        foreach (var option in (Option[])[user, contrast, dtype, verbose])
        {
            command.Options.Add(option);
        }

        command.SetAction(parsed =>
            new RunSession(
                host,
                new()
                {
                    Run = parsed.GetValue(run),
                    Overrides = DecodeDtypeOption.ReadOverrides(parsed, dtype),
                    IsQuiet = true,
                }
            ).Inspect(context =>
            {
                if (context.Recipe.PredictionDtype() == WeightDtype.Int8)
                {
                    host.Error.WriteLine($"cope: {ModelLoader.Int8Warning}");
                }

                using var session = new ChatSession(context, parsed.GetValue(user));
                var options = new ChatSessionOptions
                {
                    Contrast = parsed.GetValue(contrast) ?? context.Recipe.Decode.Contrast,
                };
                host.Error.WriteLine(
                    $"cope: {session.User}, contrast {FormatNumber(options.Contrast)}; a line is a request, /help says what can be changed"
                );
                RunChat(host, session, options);
                return ExitCode.Ok;
            })
        );
        return command;
    }

    static void RunChat(CommandHost host, ChatSession session, ChatSessionOptions options)
    {
        var view = new ChatView(host, session.User);
        CancellationTokenSource? answering = null;
        // While an answer comes, Ctrl-C stops it; at the prompt it ends the command.
        using var taken = host.Interrupts.Replace(() =>
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
                    options = ApplyCommand(host, options, line.Trim().Split(' ', 2, StringSplitOptions.TrimEntries));
                }
                else
                {
                    view.ShowAnswers(options, heard => session.Answer(line, options, heard, stop.Token));
                }
            }
            catch (Exception error) when (error is UsageException or ArgumentException or RunException)
            {
                host.Error.WriteLine($"cope: {Failure.Describe(error)}");
            }
            catch (OperationCanceledException) when (!host.Cancellation.IsCancellationRequested)
            {
                host.Error.WriteLine("cope: the answer was stopped");
            }

            answering = null;
        }
    }

    static ChatSessionOptions ApplyCommand(CommandHost host, ChatSessionOptions options, string[] command)
    {
        var value = command.Length > 1 ? command[1] : "";
        var changed = command[0] switch
        {
            "/help" => options,
            "/contrast"
                when double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var contrast) =>
                options with
                {
                    Contrast = contrast,
                },
            "/tokens"
                when int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var tokens)
                    && tokens > 0 => options with
                    {
                        MaxNewTokens = tokens,
                    },
            "/base" when value is "on" or "off" => options with { IncludesBase = value == "on" },
            "/words" when value is "task" or "off" => options with { UsesTaskPrompt = value == "task" },
            _ when Array.Find(CommandHelp.Split('\n'), known => known.Split(' ')[0] == command[0]) is { } known =>
                throw new UsageException(
                    $"'{string.Join(' ', command)}' is not understood; the command is {known[..known.IndexOf("  ", StringComparison.Ordinal)].TrimEnd()}"
                ),
            _ => throw new UsageException($"'{command[0]}' is no command; /help lists them"),
        };
        host.Error.WriteLine(
            command[0] == "/help"
                ? CommandHelp
                : $"cope: contrast {FormatNumber(changed.Contrast)}, base {(changed.IncludesBase ? "on" : "off")}, words {(changed.UsesTaskPrompt ? "task" : "off")}{(changed.MaxNewTokens is { } most ? $", {most} tokens" : "")}"
        );
        return changed;
    }

    static string FormatNumber(double value) => value.ToString(CultureInfo.InvariantCulture);
}
