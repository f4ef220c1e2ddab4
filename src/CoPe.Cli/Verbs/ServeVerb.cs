using System.CommandLine;
using CoPe.Cli.Failures;
using CoPe.Cli.Hosting;
using CoPe.Cli.Sessions;
using CoPe.Experiments.Runs;
using CoPe.Experiments.Runs.Artifacts;
using CoPe.Server;
using CoPe.Serving;
using Microsoft.Extensions.Logging;

namespace CoPe.Cli.Verbs;

/// <summary><c>cope serve --run RUN [--run RUN ...]</c>, and <c>cope serve key</c>.</summary>
static class ServeVerb
{
    const long BytesPerMegabyte = 1 << 20;

    static readonly Option<string[]> RunsOption = new("--run")
    {
        Description = "Folder of a run; may be given several times, for runs of one base model.",
        HelpName = "folder",
        DefaultValueFactory = _ => [],
    };

    static readonly Option<string> HostOption = new("--host")
    {
        Description = "Address to listen on; any other than a loopback one demands keys.",
        HelpName = "address",
        DefaultValueFactory = _ => "127.0.0.1",
    };

    static readonly Option<int> PortOption = new("--port")
    {
        Description = "Port to listen on; 0 takes a free one.",
        HelpName = "n",
        DefaultValueFactory = _ => 8000,
    };

    static readonly Option<int> RowsOption = new("--max-rows")
    {
        Description = "Most rows decoded at the same time; an answer by contrast takes two.",
        HelpName = "n",
        DefaultValueFactory = _ => new ServingOptions().MaxRows,
    };

    static readonly Option<int> AdapterMemoryOption = new("--adapter-mb")
    {
        Description = "Most memory of users' adapters, in MiB.",
        HelpName = "n",
        DefaultValueFactory = _ => 1024,
    };

    static readonly Option<int> PromptMemoryOption = new("--prompt-cache-mb")
    {
        Description = "Memory for keys and values of conversations, in MiB; 0 keeps none.",
        HelpName = "n",
    };

    static readonly Option<int?> PromptTokensOption = new("--max-prompt-tokens")
    {
        Description = "Most tokens of a prompt; longer ones are refused. By default the model's context decides.",
        HelpName = "n",
    };

    static readonly Option<int?> AnswerTokensOption = new("--max-answer-tokens")
    {
        Description = "Most tokens of an answer; asking for more is refused. By default the model's context decides.",
        HelpName = "n",
    };

    static readonly Option<bool> AllowStaleOption = new("--allow-stale")
    {
        Description = "Serves adapters that are out of date.",
    };

    static readonly Option<bool> VerboseOption = new("--verbose") { Description = "Logs every request; no texts." };

    public static Command Create(CommandHost host)
    {
        var command = new Command(
            "serve",
            "Serve everybody's personal model behind one port, with OpenAI's API. SIGTERM lets it finish its answers."
        )
        {
            RunsOption,
            HostOption,
            PortOption,
            RowsOption,
            AdapterMemoryOption,
            PromptMemoryOption,
            PromptTokensOption,
            AnswerTokensOption,
            AllowStaleOption,
            VerboseOption,
            ServeKeyVerb.KeysOption,
            ServeKeyVerb.Create(host),
        };
        command.SetAction(parsed =>
        {
            using var runs = OpenRuns(host, parsed.GetValue(RunsOption)!, parsed.GetValue(AllowStaleOption));
            ServeAsync(host, parsed, runs).GetAwaiter().GetResult();
            return ExitCode.Ok;
        });
        return command;
    }

    static async Task ServeAsync(CommandHost host, ParseResult parsed, OpenedRuns runs)
    {
        var first = runs.First;
        var options = new ServerOptions
        {
            KeyFile = ServeKeyVerb.FindFile(host, parsed),
            MaxPromptTokens = parsed.GetValue(PromptTokensOption) ?? int.MaxValue,
            MaxAnswerTokens = parsed.GetValue(AnswerTokensOption) ?? int.MaxValue,
            Decoding = first.Recipe.Decode.CreateOptions(first.Task),
        };
        var listener = new ListenerOptions { Host = parsed.GetValue(HostOption)!, Port = parsed.GetValue(PortOption) };
        var serving = new ServingOptions
        {
            MaxRows = parsed.GetValue(RowsOption),
            AdapterBytes = parsed.GetValue(AdapterMemoryOption) * BytesPerMegabyte,
            PromptCacheBytes = parsed.GetValue(PromptMemoryOption) * BytesPerMegabyte,
        };
        var level = parsed.GetValue(VerboseOption) ? LogLevel.Debug : LogLevel.Information;
        await using var server = await CopeServer
            .StartAsync(
                (loggers, meters) =>
                    new ServingEngine(first.PredictionModel, first.Encoder, runs.Catalog, serving, loggers, meters),
                options,
                listener,
                logging => logging.SetMinimumLevel(level).AddProvider(new HostLoggerProvider(host)),
                host.Time
            )
            .ConfigureAwait(false);
        host.WriteMessage($"listening on {server.Address} for {runs.Catalog.ListNames().Count()} models");
        try
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, host.Time, host.Cancellation).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            host.WriteMessage("stopping: answers under way are finished, new requests refused");
        }

        await server.StopAsync().ConfigureAwait(false);
    }

    static OpenedRuns OpenRuns(CommandHost host, string[] folders, bool allowStale)
    {
        if (folders.Length == 0)
        {
            throw new UsageException("name at least one run with --run, for example --run runs/demo");
        }

        var opened = new List<(RunWorkspace Workspace, RunAdapters Adapters)>();
        try
        {
            foreach (var folder in folders)
            {
                var resolved = ResolvedRun.Read(host, new RunRequest { Run = folder });
                ErasureJournal.ThrowIfInterrupted(resolved.Run);
                var workspace = new RunWorkspace(resolved.Recipe, resolved.Run, resolved.FindLocalInputs());
                var context = new StageContext { Workspace = workspace, Time = host.Time };
                opened.Add((workspace, new RunAdapters(host.Pipeline, context, allowStale)));
            }

            RefuseDifferentModels([.. opened.Select(run => run.Workspace)]);
            return new OpenedRuns(opened);
        }
        catch
        {
            opened.ForEach(run => run.Workspace.Dispose());
            throw;
        }
    }

    static void RefuseDifferentModels(List<RunWorkspace> runs)
    {
        var first = runs[0];
        var other = runs.Find(run =>
            run.Inputs.Model != first.Inputs.Model || run.Recipe.PredictionDtype() != first.Recipe.PredictionDtype()
        );
        if (other is not null)
        {
            throw new RunException(
                $"{other.Run.Name} has another base model or number type than {first.Run.Name}: start a server for each"
            );
        }
    }

    /// <summary>Runs whose adapters are served over the first one's model.</summary>
    sealed class OpenedRuns(List<(RunWorkspace Workspace, RunAdapters Adapters)> runs) : IDisposable
    {
        public RunWorkspace First => runs[0].Workspace;

        public RunCatalog Catalog { get; } = new([.. runs.Select(run => (run.Workspace.Run, run.Adapters))]);

        public void Dispose() => runs.ForEach(run => run.Workspace.Dispose());
    }
}

/// <summary>Log messages as lines of the command.</summary>
/// <param name="host">Where they go.</param>
sealed class HostLoggerProvider(CommandHost host) : ILoggerProvider, ILogger
{
    readonly Lock _gate = new();

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

    public void Log<TState>(
        LogLevel logLevel,
        EventId eventId,
        TState state,
        Exception? exception,
        Func<TState, Exception?, string> formatter
    )
    {
        var cause = exception is null ? "" : $": {MessageText.ToOneLine(exception.Message)}";
        var prefix = logLevel switch
        {
            LogLevel.Warning => "warning: ",
            >= LogLevel.Error => "error: ",
            _ => "",
        };
        lock (_gate)
        {
            host.WriteMessage(prefix + MessageText.ToOneLine(formatter(state, exception)) + cause);
        }
    }

    public void Dispose() { }
}
