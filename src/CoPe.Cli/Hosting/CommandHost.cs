using CoPe.Cli.Failures;
using CoPe.Cli.Hub;
using CoPe.Cli.Terminal;
using CoPe.Experiments.Runs;
using CoPe.Experiments.Runs.Stages;
using Spectre.Console;

namespace CoPe.Cli.Hosting;

/// <summary>The environment of a command: its streams, folders and stages. Tests give their own.</summary>
sealed record CommandHost
{
    /// <summary>On Windows a console has to be asked, and told to obey escape sequences.</summary>
    static readonly AnsiSupport AnsiWhereWanted = OperatingSystem.IsWindows() ? AnsiSupport.Detect : AnsiSupport.Yes;

    readonly TerminalTextWriter _out = TerminalTextWriter.Wrap(TextWriter.Null);
    readonly TerminalTextWriter _error = TerminalTextWriter.Wrap(TextWriter.Null);

    /// <summary>Results. Escape sequences within them do not reach a terminal.</summary>
    public required TextWriter Out
    {
        get => _out;
        init => _out = TerminalTextWriter.Wrap(value);
    }

    /// <summary>Progress, messages, errors. Escape sequences within them do not reach a terminal.</summary>
    public required TextWriter Error
    {
        get => _error;
        init => _error = TerminalTextWriter.Wrap(value);
    }

    /// <summary>Text piped in; null where input comes from the keyboard.</summary>
    public TextReader? In { get; init; }

    /// <summary>The keyboard of an interactive terminal; null elsewhere.</summary>
    public TextReader? Keyboard { get; init; }

    /// <summary>
    /// The keys of an interactive terminal that can move its cursor; null elsewhere, and where the console edits lines
    /// itself.
    /// </summary>
    public IKeyReader? Keys { get; init; }

    /// <summary><see cref="Out"/> is a terminal.</summary>
    public bool IsOutputTerminal { get; init; }

    /// <summary>
    /// Progress may be drawn in place: <see cref="Error"/> is a terminal, and the environment does not ask for plain
    /// text.
    /// </summary>
    public bool ShowsLiveProgress { get; init; }

    /// <summary>The colors of tables on a terminal.</summary>
    public ColorSystemSupport Colors { get; init; } = ColorSystemSupport.NoColors;

    /// <summary>The terminal's columns; null asks the terminal.</summary>
    public int? TerminalWidth { get; init; }

    /// <summary>Reads the hub's settings (address, cache, token) from the environment.</summary>
    public Func<HubSettings> ReadHubSettings { get; init; } =
        () => HubSettings.ReadFrom(Environment.GetEnvironmentVariable);

    /// <summary>
    /// Folders in which relative paths are looked up: the working folder, then that of the program.
    /// </summary>
    public required IReadOnlyList<string> SearchFolders { get; init; }

    /// <summary>The folder in which files are written.</summary>
    public string WorkingFolder => SearchFolders[0];

    /// <summary>Folders in which names are looked up that hold from any working folder: the program's.</summary>
    public IReadOnlyList<string> ProgramFolders => SearchFolders.Count > 1 ? [.. SearchFolders.Skip(1)] : SearchFolders;

    public Pipeline Pipeline { get; init; } = new(RunStages.All);

    public TimeProvider Time { get; init; } = TimeProvider.System;

    public CancellationToken Cancellation { get; init; }

    /// <summary>The command line as it was given, to be named in messages; null outside of one.</summary>
    public string? CommandText { get; init; }

    /// <summary>Decides what Ctrl-C does.</summary>
    public InterruptHandler Interrupts { get; init; } = new();

    /// <summary>The running process: its streams, its folder, and Spectre's view of the terminal.</summary>
    public static CommandHost CreateForProcess()
    {
        var term = Environment.GetEnvironmentVariable("TERM");
        var movesCursor = OperatingSystem.IsWindows() || term is not (null or "" or "dumb");
        var allowsColor = movesCursor && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));
        var editsLines = movesCursor && !Console.IsInputRedirected && !Console.IsOutputRedirected;
        return new()
        {
            Out = StandardStreams.OpenOutput(),
            Error = StandardStreams.OpenError(),
            In = Console.IsInputRedirected ? StandardStreams.OpenInput() : null,
            Keyboard = Console.IsInputRedirected ? null : Console.In,
            Keys = editsLines && !OperatingSystem.IsWindows() ? new ConsoleKeyReader() : null,
            IsOutputTerminal = !Console.IsOutputRedirected,
            ShowsLiveProgress = !Console.IsErrorRedirected && allowsColor,
            Colors =
                Console.IsOutputRedirected || !allowsColor ? ColorSystemSupport.NoColors : ColorSystemSupport.Detect,
            SearchFolders = [Directory.GetCurrentDirectory(), AppContext.BaseDirectory],
        };
    }

    /// <summary>A path relative to <see cref="WorkingFolder"/>, made absolute.</summary>
    public string PathOf(string path) => Path.Combine(WorkingFolder, path);

    /// <summary>An existing folder, looked up in <see cref="SearchFolders"/>.</summary>
    /// <exception cref="UsageException">There is none.</exception>
    public string FindFolder(string path)
    {
        var candidates = SearchFolders.Select(root => Path.GetFullPath(Path.Combine(root, path))).ToList();
        if (candidates.Find(Directory.Exists) is { } folder)
        {
            return folder;
        }

        if (candidates.Exists(File.Exists))
        {
            throw new UsageException($"{path} is a file, expected a folder");
        }

        var lookup = Path.IsPathRooted(path) ? "" : $" (looked in {string.Join(" and ", SearchFolders.Distinct())})";
        throw new UsageException($"folder {path} does not exist{lookup}");
    }

    /// <summary>
    /// The exit code of a command that has ended: not <see cref="ExitCode.Ok"/> where its results could not be written
    /// to <see cref="Out"/>, which is said. A reader that has closed its end of a pipe has what it wanted.
    /// </summary>
    public int ConfirmOutput(int code)
    {
        Out.Flush();
        if (_out.Failure is not { } failure || code != ExitCode.Ok)
        {
            return code;
        }

        WriteMessage($"error: standard output could not be written ({failure.Message}); all else is done");
        return ExitCode.Failure;
    }

    /// <summary>Writes a message to <see cref="Error"/>, after the name of the command.</summary>
    public void WriteMessage(string message) => Error.WriteLine($"cope: {message}");

    /// <summary>Writes warnings to <see cref="Error"/>.</summary>
    public void WriteWarnings(IEnumerable<string> warnings)
    {
        foreach (var warning in warnings)
        {
            WriteMessage($"warning: {warning}");
        }
    }

    /// <summary>A console over <see cref="Out"/> for tables.</summary>
    public IAnsiConsole CreateTableConsole() => CreateConsole(_out, IsOutputTerminal, Colors);

    /// <summary>A console over <see cref="Error"/> for progress drawn in place.</summary>
    public IAnsiConsole CreateLiveConsole() => CreateConsole(_error, isTerminal: true, ColorSystemSupport.Detect);

    /// <summary>An editor of lines on the terminal; null where there are no keys.</summary>
    public LineEditor? CreateLineEditor(Func<string, IReadOnlyList<string>> complete) =>
        Keys is null
            ? null
            : new LineEditor(_out.Unfiltered, Keys, () => TerminalWidth ?? Console.WindowWidth, complete);

    IAnsiConsole CreateConsole(TerminalTextWriter writer, bool isTerminal, ColorSystemSupport colors)
    {
        var settings = new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(writer.Unfiltered),
            Ansi = colors == ColorSystemSupport.NoColors ? AnsiSupport.No : AnsiWhereWanted,
            ColorSystem = colors,
            Interactive = InteractionSupport.No,
        };
        var console = AnsiConsole.Create(settings);
        console.Profile.Width = isTerminal ? Math.Clamp(TerminalWidth ?? console.Profile.Width, 40, 100) : 80;
        console.Pipeline.Attach(new TerminalRenderHook());
        return console;
    }
}

/// <summary>Decides what Ctrl-C does: by default it ends the command; a verb may handle it for a while.</summary>
sealed class InterruptHandler
{
    Func<bool>? _current;

    /// <summary>
    /// Whether SIGTERM may come several times for one request, as schedulers send it to a job and to each of its
    /// processes: otherwise the second one ends the process.
    /// </summary>
    public bool TakesRepeatedTermination { get; set; }

    /// <summary>
    /// Gives Ctrl-C to <paramref name="handler"/> until the result is disposed; where it returns false, the process
    /// ends.
    /// </summary>
    public IDisposable Replace(Func<bool> handler)
    {
        _current = handler;
        return new Restore(this);
    }

    /// <summary>Calls the verb's handler and returns its result; null where no verb has set one.</summary>
    public bool? Handle() => _current?.Invoke();

    sealed class Restore(InterruptHandler owner) : IDisposable
    {
        public void Dispose() => owner._current = null;
    }
}
