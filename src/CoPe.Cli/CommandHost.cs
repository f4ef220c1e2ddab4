using CoPe.Cli.Hub;
using CoPe.Experiments.Runs;
using CoPe.Experiments.Runs.Stages;
using Spectre.Console;

namespace CoPe.Cli;

/// <summary>
/// What the command works with: where it writes, where it looks, which stages it knows. Tests give their own.
/// </summary>
sealed record CommandHost
{
    /// <summary>Results.</summary>
    public required TextWriter Out { get; init; }

    /// <summary>Progress, messages, errors.</summary>
    public required TextWriter Error { get; init; }

    /// <summary>Text piped in; null where a person sits at the keyboard.</summary>
    public TextReader? In { get; init; }

    /// <summary>The hub, its cache and the token, as the environment says.</summary>
    public Func<HubSettings> ReadHubSettings { get; init; } =
        () => HubSettings.ReadFrom(Environment.GetEnvironmentVariable);

    /// <summary><see cref="Out"/> is a terminal.</summary>
    public bool IsOutputTerminal { get; init; }

    /// <summary>The keyboard, where a person sits at a terminal; null elsewhere.</summary>
    public TextReader? Keyboard { get; init; }

    /// <summary>
    /// Progress may be drawn in place: <see cref="Error"/> is a terminal and the person did not ask for plain text.
    /// </summary>
    public bool ShowsLiveProgress { get; init; }

    /// <summary>Folders in which relative paths are looked up: the current one, then that of the program.</summary>
    public required IReadOnlyList<string> SearchFolders { get; init; }

    public Pipeline Pipeline { get; init; } = new(RunStages.All);

    public TimeProvider Time { get; init; } = TimeProvider.System;

    public CancellationToken Cancellation { get; init; }

    /// <summary>Who gets Ctrl-C.</summary>
    public InterruptHandler Interrupts { get; init; } = new();

    /// <summary>The running process: its streams, its folder, and Spectre's view of the terminal.</summary>
    public static CommandHost CreateForProcess() =>
        new()
        {
            Out = Console.Out,
            IsOutputTerminal = !Console.IsOutputRedirected,
            Keyboard = Console.IsInputRedirected ? null : Console.In,
            Error = Console.Error,
            In = Console.IsInputRedirected ? Console.In : null,
            ShowsLiveProgress =
                !Console.IsErrorRedirected
                && Environment.GetEnvironmentVariable("NO_COLOR") is null or ""
                && Environment.GetEnvironmentVariable("TERM") != "dumb",
            SearchFolders = [Directory.GetCurrentDirectory(), AppContext.BaseDirectory],
        };

    /// <summary>A folder the person named, looked up in <see cref="SearchFolders"/>.</summary>
    public string FindFolder(string path) =>
        SearchFolders.Select(root => Path.GetFullPath(Path.Combine(root, path))).FirstOrDefault(Directory.Exists)
        ?? throw new UsageException($"folder {path} does not exist (looked in {string.Join(" and ", SearchFolders)})");

    /// <summary>A console over <see cref="Out"/> for tables.</summary>
    public IAnsiConsole CreateTableConsole() => CreateConsole(Out, Out == Console.Out && !Console.IsOutputRedirected);

    /// <summary>A console over <see cref="Error"/> for progress drawn in place.</summary>
    public IAnsiConsole CreateLiveConsole() => CreateConsole(Error, isTerminal: true);

    static IAnsiConsole CreateConsole(TextWriter writer, bool isTerminal)
    {
        var console = AnsiConsole.Create(
            new AnsiConsoleSettings
            {
                Out = new AnsiConsoleOutput(writer),
                Ansi = isTerminal ? AnsiSupport.Detect : AnsiSupport.No,
                ColorSystem = isTerminal ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
                Interactive = InteractionSupport.No,
            }
        );
        console.Profile.Width = isTerminal ? Math.Clamp(console.Profile.Width, 40, 100) : 80;
        return console;
    }
}

/// <summary>
/// Who gets Ctrl-C: by default the command as a whole, which then ends; a verb may take it for a while.
/// </summary>
sealed class InterruptHandler
{
    Func<bool>? _current;

    /// <summary>
    /// Hands Ctrl-C to <paramref name="handler"/> until the result is disposed; where it returns false, the process
    /// ends.
    /// </summary>
    public IDisposable Replace(Func<bool> handler)
    {
        _current = handler;
        return new Restore(this);
    }

    /// <summary>Whether somebody has taken it, and what he makes of this one; null where nobody has.</summary>
    public bool? Handle() => _current?.Invoke();

    sealed class Restore(InterruptHandler owner) : IDisposable
    {
        public void Dispose() => owner._current = null;
    }
}
