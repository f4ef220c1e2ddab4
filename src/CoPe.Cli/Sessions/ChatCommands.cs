using System.Globalization;
using CoPe.Cli.Failures;
using CoPe.Experiments.Runs.Chat;

namespace CoPe.Cli.Sessions;

/// <summary>A command inside a chat.</summary>
/// <param name="Name">The name after the slash.</param>
/// <param name="Argument">An example of its value; empty where it takes none.</param>
/// <param name="Summary">What it does.</param>
sealed record ChatCommand(string Name, string Argument, string Summary)
{
    /// <summary>A second name.</summary>
    public string? Alias { get; init; }

    /// <summary>It may be given without its value.</summary>
    public bool IsArgumentOptional { get; init; }

    public string Usage => Argument.Length == 0 ? $"/{Name}" : $"/{Name} {Argument}";
}

/// <summary>The commands inside a chat: their names, and those that change how lines are answered.</summary>
static class ChatCommands
{
    public static IReadOnlyList<ChatCommand> All { get; } =
    [
        new("new", "", "forgets the conversation; the next line begins another") { Alias = "clear" },
        new("retry", "", "answers the last line again, with another seed"),
        new("why", "", "the last answer token by token: with the user and without"),
        new("user", "NAME", "another user, in a new conversation; alone: who answers and how")
        {
            IsArgumentOptional = true,
        },
        new("contrast", "0.3", "weight of the contrast; 0 is the user's model alone"),
        new("contrast-unless-certain", "0.7", "user's model alone where the task's is surer of a token; 1: nowhere"),
        new("plausibility", "0.1", "share of the likeliest token's probability that a token needs"),
        new("temperature", "0.7", "draws tokens at this temperature; 0 takes the best one"),
        new("seed", "7", "seed of what is drawn"),
        new("tokens", "200", "most tokens of an answer"),
        new("base", "on|off", "the base model's answer beside the user's"),
        new("words", "task|off", "the first line in the task's wording, or as it is"),
        new("turns", "on|off", "earlier lines and answers in the prompt; off: every line by itself"),
        new("save", "FILE", "writes the conversation into a file; as JSON where it ends in .json"),
        new("help", "", "these commands"),
        new("quit", "", "ends the chat, as Ctrl-D does; Ctrl-C stops an answer") { Alias = "exit" },
    ];

    /// <summary>The command of a line that begins with a slash, and its value.</summary>
    /// <exception cref="UsageException">There is no such command, or its value is missing or not wanted.</exception>
    public static (ChatCommand Command, string Value) Parse(string line)
    {
        var words = line.Trim().Split((char[]?)null, 2, StringSplitOptions.TrimEntries);
        var (name, value) = (words[0][1..].ToLowerInvariant(), words.Length > 1 ? words[1] : "");
        var command = All.FirstOrDefault(known => known.Name == name || known.Alias == name);
        if (command is null)
        {
            var names = All.SelectMany(known => (string?[])[known.Name, known.Alias]).OfType<string>();
            var hint = NearestName.FindSimilar(name, names) is { } near ? $"; did you mean /{near}?" : "";
            throw new UsageException($"'{words[0]}' is no command{hint} (/help lists them)");
        }

        var isMissing = value.Length == 0 && command.Argument.Length > 0 && !command.IsArgumentOptional;
        var isUnwanted = value.Length > 0 && command.Argument.Length == 0;
        return isMissing || isUnwanted ? throw NotUnderstood(line, command) : (command, value);
    }

    /// <summary>The commands that begin as a line does.</summary>
    public static IReadOnlyList<string> Complete(string line) =>
        line is ['/', ..]
            ? [.. All.Select(command => "/" + command.Name).Where(name => name.StartsWith(line, IgnoreCase))]
            : [];

    /// <summary>The options with one of them changed; null where the command changes none.</summary>
    /// <exception cref="UsageException">The value is not understood, or out of range.</exception>
    public static ChatSessionOptions? Change(
        ChatSessionOptions options,
        ChatCommand command,
        string value,
        int tokensLimit
    )
    {
        try
        {
            return command.Name switch
            {
                "contrast" => options with { Contrast = ReadNumber(command, value) },
                "contrast-unless-certain" => options with { ContrastUnlessCertain = ReadNumber(command, value) },
                "plausibility" => options with { Plausibility = ReadNumber(command, value) },
                "temperature" => options with { Temperature = ReadNumber(command, value) },
                "seed" => options with { Seed = ReadWhole(command, value) },
                "tokens" => options with { MaxNewTokens = ReadTokens(command, value, tokensLimit) },
                "base" => options with { IncludesBase = ReadChoice(command, value, "on", "off") },
                "words" => options with { UsesTaskPrompt = ReadChoice(command, value, "task", "off") },
                "turns" => options with { IncludesEarlierTurns = ReadChoice(command, value, "on", "off") },
                _ => null,
            };
        }
        catch (ArgumentOutOfRangeException error)
        {
            throw new UsageException(ChatOptions.DescribeRange("/", error));
        }
    }

    static StringComparison IgnoreCase => StringComparison.OrdinalIgnoreCase;

    static double ReadNumber(ChatCommand command, string value) =>
        double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw NotUnderstood($"/{command.Name} {value}", command);

    static long ReadWhole(ChatCommand command, string value) =>
        long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw NotUnderstood($"/{command.Name} {value}", command);

    static int ReadTokens(ChatCommand command, string value, int limit)
    {
        var tokens = (int)Math.Clamp(ReadWhole(command, value), int.MinValue, int.MaxValue);
        return ChatOptions.DescribeTokens("/tokens", tokens, limit) is { } problem
            ? throw new UsageException(problem)
            : tokens;
    }

    static bool ReadChoice(ChatCommand command, string value, string yes, string no)
    {
        if (value.Equals(yes, IgnoreCase))
        {
            return true;
        }

        return value.Equals(no, IgnoreCase) ? false : throw NotUnderstood($"/{command.Name} {value}", command);
    }

    static UsageException NotUnderstood(string line, ChatCommand command) =>
        new($"'{line.Trim()}' is not understood; the command is {command.Usage}");
}
