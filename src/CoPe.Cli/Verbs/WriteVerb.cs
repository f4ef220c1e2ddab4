using System.CommandLine;
using CoPe.Cli.Failures;
using CoPe.Cli.Hosting;
using CoPe.Cli.Sessions;
using CoPe.Experiments.Runs.Chat;

namespace CoPe.Cli.Verbs;

/// <summary><c>cope write RUN PROMPT</c>.</summary>
static class WriteVerb
{
    public static Command Create(CommandHost host)
    {
        var command = new Command(
            "write",
            "Write one text as a user of a run would: the text alone on standard output, messages on standard error."
        );
        var options = ChatOptions.AddTo(command);
        var prompt = new Argument<string?>("prompt")
        {
            Description = "What to write, as a line of 'cope chat'; '-' or nothing reads what is piped in.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        command.Arguments.Add(prompt);
        command.SetAction(parsed =>
        {
            var text = ReadPrompt(host, parsed.GetValue(prompt));
            return new RunSession(host, options.ReadRequest(parsed)).Inspect(opened =>
            {
                var context = options.ReadContext(parsed, opened);
                ChatVerb.WarnAboutModel(host, context);
                var settings = options.ReadSessionOptions(parsed, context) with { IncludesBase = false };
                using var session = new ChatSession(context, options.ReadUser(parsed));
                host.WriteWarnings(session.Adapter.Warnings);
                var turn = session.Answer(text, settings, cancellation: host.Cancellation);
                host.Out.WriteLine(turn.Personalized.Text);
                foreach (var message in ChatMessages.DescribeLimits(turn, "--tokens"))
                {
                    host.WriteMessage(message);
                }

                return ExitCode.Ok;
            });
        });
        return command;
    }

    static string ReadPrompt(CommandHost host, string? prompt)
    {
        var text = prompt switch
        {
            null => host.In?.ReadToEnd(),
            "-" => (host.In ?? host.Keyboard)?.ReadToEnd(),
            _ => prompt,
        };
        return string.IsNullOrWhiteSpace(text)
            ? throw new UsageException(
                "there is nothing to answer: name a prompt, or pipe one in, for example "
                    + "'cope write runs/me \"A walk by the sea\"'"
            )
            : text.TrimEnd('\r', '\n');
    }
}
