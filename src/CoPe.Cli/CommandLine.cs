using System.CommandLine;
using System.CommandLine.Help;
using System.Globalization;
using System.Runtime.InteropServices;
using CoPe.Cli.Display;
using CoPe.Cli.Failures;
using CoPe.Cli.Hosting;
using CoPe.Cli.Verbs;

namespace CoPe.Cli;

/// <summary>The <c>cope</c> command: its verbs, and how any of them ends.</summary>
static class CommandLine
{
    /// <summary>
    /// Runs a command line and returns its exit code. The first Ctrl-C or SIGTERM cancels the work, which saves and
    /// stops; a second one ends the process.
    /// </summary>
    public static int Run(string[] args, CommandHost host)
    {
        // '--contrast 0.3' is three tenths in every locale.
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
        var text = string.Join(' ', args.Select(DisplayFormat.ShellArgument).Prepend("cope"));
        return Execute(
            args.Length == 0 ? ["--help"] : args,
            host with
            {
                Cancellation = stop.Token,
                CommandText = text,
            }
        );
    }

    static int Execute(string[] args, CommandHost host)
    {
        var parsed = CreateRootCommand(host).Parse(args);
        var wantsHelp = args.Any(arg => arg is "--help" or "-h" or "-?");
        if (parsed.Errors.Count > 0 && !wantsHelp)
        {
            return Failure.Report(host, new UsageException(DescribeParseError(parsed)), isVerbose: false);
        }

        var configuration = new InvocationConfiguration
        {
            Output = host.Out,
            Error = host.Error,
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = null,
        };
        try
        {
            return parsed.Invoke(configuration);
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
            "Personalize a language model to each of many users by contrasting personal preference (CoPe)."
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
        var help = new HelpOption();
        if (!host.IsOutputTerminal)
        {
            // Without a terminal there is no width to wrap at.
            help.Action = new HelpAction { MaxWidth = int.MaxValue };
        }

        root.Options.Add(help);
        root.Options.Add(new VersionOption());
        return root;
    }

    static string DescribeParseError(ParseResult parsed)
    {
        var path = parsed.CommandResult.GetPath();
        var verbs = parsed.CommandResult.Command.Subcommands.Select(verb => verb.Name).ToList();
        if (verbs.Count > 0 && parsed.UnmatchedTokens is [var word, ..])
        {
            return $"'{path}' has no verb '{word}'{NearestName.Hint(word, verbs)} (verbs: {string.Join(", ", verbs)})";
        }

        if (verbs.Count > 0)
        {
            return $"'{path}' needs a verb: {string.Join(", ", verbs)}";
        }

        var problem = parsed.UnmatchedTokens is [['-', ..] option, ..]
            ? parsed.CommandResult.DescribeUnknownOption(option)
            : parsed.Errors[0].Message.TrimEnd('.');
        return $"{problem}; see '{path} --help'";
    }
}
