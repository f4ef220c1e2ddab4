using System.CommandLine;

namespace CoPe.Cli;

/// <summary>Shorthand for building and reading commands.</summary>
static class CommandExtensions
{
    public static void AddOptions(this Command command, params ReadOnlySpan<Option> options)
    {
        foreach (var option in options)
        {
            command.Options.Add(option);
        }
    }

    /// <summary>Whether the command has an option at all, given or not.</summary>
    public static bool HasOption(this ParseResult parsed, Option option) =>
        parsed.CommandResult.Command.Options.Contains(option);
}
