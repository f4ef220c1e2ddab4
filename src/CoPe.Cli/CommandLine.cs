using System.CommandLine;
using System.CommandLine.Help;
using System.Globalization;
using System.Runtime.InteropServices;
using CoPe.Cli.Verbs;

namespace CoPe.Cli;

/// <summary>The <c>cope</c> command: its verbs, and how any of them ends.</summary>
static class CommandLine
{
    /// <summary>
    /// Carries out a command line; Ctrl-C and SIGTERM ask the work to save and stop, a second time they end the
    /// process.
    /// </summary>
    public static int Run(string[] args, CommandHost host)
    {
        // '--contrast 0.3' is three tenths wherever the person lives.
        CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(host.Cancellation);
        void Stop(PosixSignalContext signal)
        {
            if (signal.Signal == PosixSignal.SIGINT && host.Interrupts.Handle() is { } isHandled)
            {
                signal.Cancel = isHandled;
                return;
            }

            if (stop.IsCancellationRequested)
            {
                return;
            }

            signal.Cancel = true;
            stop.Cancel();
        }

        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        return Execute(args.Length == 0 ? ["--help"] : args, host with { Cancellation = stop.Token });
    }

    static int Execute(string[] args, CommandHost host)
    {
        var root = CreateRootCommand(host);
        var parsed = root.Parse(args);
        if (parsed.Errors.Count > 0 && !args.Any(arg => arg is "--help" or "-h" or "-?"))
        {
            return Failure.Report(host, new UsageException(DescribeParseError(parsed)), isVerbose: false);
        }

        try
        {
            return parsed.Invoke(
                new()
                {
                    Output = host.Out,
                    Error = host.Error,
                    EnableDefaultExceptionHandler = false,
                    ProcessTerminationTimeout = null,
                }
            );
        }
        catch (Exception error)
        {
            return Failure.Report(host, error, args.Contains("--verbose"));
        }
    }

    /// <summary>The tree of verbs.</summary>
    public static Command CreateRootCommand(CommandHost host)
    {
        var root = new Command(
            "cope",
            "Personalise a language model to each of many users by contrasting personal preference (CoPe)."
        )
        {
            DemoVerb.Create(host),
            RunVerb.Create(host),
            TrainVerb.Create(host),
            NegativesVerb.Create(host),
            ProfileVerb.Create(host),
            PredictVerb.Create(host),
            EvaluateVerb.Create(host),
            ReportVerb.Create(host),
            CompareVerb.Create(host),
            ExportVerb.Create(host),
            SweepVerb.Create(host),
            StatusVerb.Create(host),
            RecipesVerb.Create(host),
            DataVerb.Create(host),
            ModelVerb.Create(host),
            ScoreVerb.Create(host),
            PersonalizeVerb.Create(host),
            ChatVerb.Create(host),
            UserVerb.Create(host),
            PretrainVerb.Create(host),
            VersionVerb.Create(host),
        };
        root.Options.Add(new HelpOption());
        root.Options.Add(new VersionOption());
        return root;
    }

    static string DescribeParseError(ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;
        var path = string.Join(' ', CommandPath(parsed.CommandResult).Reverse());
        if (parsed.UnmatchedTokens is [var word, ..] && command.Subcommands.Count > 0)
        {
            return $"'{path}' has no verb '{word}'{NearestName.Hint(word, command.Subcommands.Select(verb => verb.Name))} (verbs: {string.Join(", ", command.Subcommands.Select(verb => verb.Name))})";
        }

        if (parsed.UnmatchedTokens is [var option, ..] && option.StartsWith('-'))
        {
            return $"{DescribeUnknownOption(parsed.CommandResult, option)}; see '{path} --help'";
        }

        if (parsed.UnmatchedTokens.Count == 0 && command.Subcommands.Count > 0)
        {
            return $"'{path}' needs a verb: {string.Join(", ", command.Subcommands.Select(verb => verb.Name))}";
        }

        return $"{parsed.Errors[0].Message.TrimEnd('.')}; see '{path} --help'";
    }

    /// <summary>Says that a command does not have an option, and which is meant perhaps.</summary>
    public static string DescribeUnknownOption(System.CommandLine.Parsing.CommandResult command, string option) =>
        $"'{string.Join(' ', CommandPath(command).Reverse())}' has no option '{option}'{NearestName.Hint(option, command.Command.Options.Select(known => known.Name))}";

    static IEnumerable<string> CommandPath(System.CommandLine.Parsing.SymbolResult? result)
    {
        for (; result is System.CommandLine.Parsing.CommandResult command; result = result.Parent)
        {
            yield return command.Command.Name;
        }
    }
}
