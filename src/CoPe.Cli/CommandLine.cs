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
    /// stops; a second one ends the process, but for a shard, to which schedulers send it several times.
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
                signal.Cancel = signal.Signal == PosixSignal.SIGTERM && host.Interrupts.TakesRepeatedTermination;
                return;
            }

            signal.Cancel = true;
            stop.Cancel();
        }

        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using var large = OperatingSystem.IsWindows() ? null : KeepAtFileSizeLimit();
        var text = string.Join(' ', args.Select(DisplayFormat.ShellArgument).Prepend("cope"));
        var code = Execute(AskForHelp(args), host with { Cancellation = stop.Token, CommandText = text });
        return host.ConfirmOutput(code);
    }

    /// <summary>
    /// A file that grows over <c>ulimit -f</c> fails as on a full disk, instead of ending the process (SIGXFSZ).
    /// </summary>
    static PosixSignalRegistration KeepAtFileSizeLimit()
    {
        const int FileSizeSignal = 25; // The same on Linux and macOS.
        return PosixSignalRegistration.Create((PosixSignal)FileSizeSignal, signal => signal.Cancel = true);
    }

    /// <summary><c>cope</c> alone and <c>cope help VERB</c> ask for help as <c>cope VERB --help</c> does.</summary>
    static string[] AskForHelp(string[] args) =>
        args switch
        {
            [] => ["--help"],
            ["help", .. var verbs] => [.. verbs, "--help"],
            _ => args,
        };

    static int Execute(string[] args, CommandHost host)
    {
        var parsed = Parse(CreateRootCommand(host), args);
        var wantsHelp = args.Any(arg => arg is "--help" or "-h" or "-?");
        if (parsed.NamesUnknownVerb() || (parsed.Errors.Count > 0 && !wantsHelp))
        {
            var code = Failure.Report(host, new UsageException(parsed.DescribeError()), isVerbose: false);
            if (parsed.IsBareVerb())
            {
                ShowHelp(parsed, host);
            }

            return code;
        }

        if (!wantsHelp && parsed.FindBlank() is { } blank)
        {
            var empty =
                $"{blank} is empty: give it a value or leave it out; see '{parsed.CommandResult.GetPath()} --help'";
            return Failure.Report(host, new UsageException(empty), isVerbose: false);
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

    /// <summary>What arguments say. <c>@ada</c> names a user: no argument stands for a file with others.</summary>
    public static ParseResult Parse(Command root, IReadOnlyList<string> args) =>
        root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });

    /// <summary>The tree of verbs. Their options are the process's, and keep every tree that they stand in.</summary>
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
            ShardsVerb.Create(host),
            FinishVerb.Create(host),
            StatusVerb.Create(host),
            RunsVerb.Create(host),
            RecipesVerb.Create(host),
            DataVerb.Create(host),
            ModelVerb.Create(host),
            ScoreVerb.Create(host),
            PersonalizeVerb.Create(host),
            ChatVerb.Create(host),
            WriteVerb.Create(host),
            ServeVerb.Create(host),
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
        root.Options.Add(new VersionOption("--version", "-v"));
        return root;
    }

    /// <summary>The help of a verb that was named alone and needs more, below the error.</summary>
    static void ShowHelp(ParseResult parsed, CommandHost host)
    {
        var words = parsed.CommandResult.GetPath().Split(' ').Skip(1);
        host.Error.WriteLine();
        Parse(CreateRootCommand(host), [.. words, "--help"]).Invoke(new() { Output = host.Error, Error = host.Error });
    }
}
