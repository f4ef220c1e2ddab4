using System.CommandLine;
using System.CommandLine.Parsing;

namespace CoPe.Cli.Hosting;

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

    /// <summary>Says that a command does not have an option, and names the nearest one that it has.</summary>
    public static string DescribeUnknownOption(this CommandResult command, string option)
    {
        var known = command.Command.Options.ToList();
        for (var parent = command.Parent as CommandResult; parent is not null; parent = parent.Parent as CommandResult)
        {
            known.AddRange(parent.Command.Options.Where(inherited => inherited.Recursive));
        }

        var hint = NearestName.Hint(option, known.Select(one => one.Name));
        return $"'{command.GetPath()}' has no option '{option}'{hint}";
    }

    /// <summary>The words that lead to a command: <c>cope train sft</c>.</summary>
    public static string GetPath(this CommandResult result)
    {
        var names = new List<string>();
        for (SymbolResult? node = result; node is CommandResult command; node = node.Parent)
        {
            names.Add(command.Command.Name);
        }

        names.Reverse();
        return string.Join(' ', names);
    }
}
