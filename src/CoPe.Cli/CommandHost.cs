using CoPe.Cli.Hub;
using CoPe.Runs;
using Spectre.Console;

namespace CoPe.Cli;

/// <summary>What the command works with: where it writes, where it looks, which stages it knows. Tests give their own.</summary>
sealed record CommandHost
{
    /// <summary>Results.</summary>
    public required TextWriter Out { get; init; }

    /// <summary>Progress, messages, errors.</summary>
    public required TextWriter Error { get; init; }

    /// <summary>Text piped in; null where a person sits at the keyboard.</summary>
    public TextReader? In { get; init; }

    /// <summary>The hub, its cache and the token, as the environment says.</summary>
    public Func<HubSettings> Hub { get; init; } = () => HubSettings.Of(Environment.GetEnvironmentVariable);

    /// <summary><see cref="Out"/> is a terminal.</summary>
    public bool IsOutputTerminal { get; init; }

    /// <summary>The keyboard, where a person sits at a terminal; null elsewhere.</summary>
    public TextReader? Keyboard { get; init; }

    /// <summary>Progress may be drawn in place: <see cref="Error"/> is a terminal and the person did not ask for plain text.</summary>
    public bool IsLive { get; init; }

    /// <summary>Folders in which relative paths are looked up: the current one, then that of the program.</summary>
    public required IReadOnlyList<string> Roots { get; init; }

    public Pipeline Pipeline { get; init; } = new(StageList.All);

    public TimeProvider Time { get; init; } = TimeProvider.System;

    public CancellationToken Cancellation { get; init; }

    /// <summary>Who gets Ctrl-C.</summary>
    public Interrupts Interrupts { get; init; } = new();

    /// <summary>The running process: its streams, its folder, and Spectre's view of the terminal.</summary>
    public static CommandHost OfProcess() => new()
    {
        Out = Console.Out,
        IsOutputTerminal = !Console.IsOutputRedirected,
        Keyboard = Console.IsInputRedirected ? null : Console.In,
        Error = Console.Error,
        In = Console.IsInputRedirected ? Console.In : null,
        IsLive = !Console.IsErrorRedirected && Environment.GetEnvironmentVariable("NO_COLOR") is null or "" && Environment.GetEnvironmentVariable("TERM") != "dumb",
        Roots = [Directory.GetCurrentDirectory(), AppContext.BaseDirectory],
    };

    /// <summary>A folder the person named, looked up in <see cref="Roots"/>.</summary>
    public string Folder(string path) => Roots.Select(root => Path.GetFullPath(Path.Combine(root, path))).FirstOrDefault(Directory.Exists)
        ?? throw new UsageException($"folder {path} does not exist (looked in {string.Join(" and ", Roots)})");

    /// <summary>A console over <see cref="Out"/> for tables.</summary>
    public IAnsiConsole Tables() => Over(Out, Out == Console.Out && !Console.IsOutputRedirected);

    /// <summary>A console over <see cref="Error"/> for progress drawn in place.</summary>
    public IAnsiConsole LiveConsole() => Over(Error, isTerminal: true);

    static IAnsiConsole Over(TextWriter writer, bool isTerminal)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(writer),
            Ansi = isTerminal ? AnsiSupport.Detect : AnsiSupport.No,
            ColorSystem = isTerminal ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
        });
        console.Profile.Width = isTerminal ? Math.Clamp(console.Profile.Width, 40, 100) : 80;
        return console;
    }
}
