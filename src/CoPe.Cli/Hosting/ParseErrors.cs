using System.CommandLine;
using System.CommandLine.Parsing;

namespace CoPe.Cli.Hosting;

/// <summary>What is wrong with a command line, in one line for people.</summary>
static class ParseErrors
{
    /// <summary>Options and arguments that take a text, which may be empty.</summary>
    static readonly string[] Texts = ["<text>", "<prompt>", "--prompt", "--system"];

    /// <summary>Whether a word stands where a group of verbs expects one of its verbs, and is none.</summary>
    public static bool NamesUnknownVerb(this ParseResult parsed) =>
        parsed.CommandResult.Command.Subcommands.Count > 0
        && parsed.UnmatchedTokens.Any(token => !token.StartsWith('-'));

    /// <summary>Whether a verb was named with nothing after it.</summary>
    public static bool IsBareVerb(this ParseResult parsed) =>
        parsed.CommandResult.Command.Subcommands.Count == 0
        && parsed.UnmatchedTokens.Count == 0
        && parsed.CommandResult.GetPath()
            == string.Join(' ', parsed.Tokens.Select(token => token.Value).Prepend("cope"));

    /// <summary>
    /// The first option or argument that is given and says nothing, as a variable of a shell that is not set leaves it:
    /// an empty path would mean the current folder. Null where there is none; a text may be empty.
    /// </summary>
    public static string? FindBlank(this ParseResult parsed) =>
        parsed
            .CommandResult.Children.Where(given => given.Tokens.Any(token => string.IsNullOrWhiteSpace(token.Value)))
            .Select(given =>
                given switch
                {
                    OptionResult option => option.Option.Name,
                    ArgumentResult argument => $"<{argument.Argument.Name}>",
                    _ => null,
                }
            )
            .FirstOrDefault(name => name is not null && !Texts.Contains(name));

    /// <summary>The first thing that is wrong, what was expected, and where to read more.</summary>
    public static string DescribeError(this ParseResult parsed)
    {
        var path = parsed.CommandResult.GetPath();
        var verbs = parsed.CommandResult.Command.Subcommands.Select(verb => verb.Name).ToList();
        if (verbs.Count > 0 && parsed.UnmatchedTokens is [var word, ..])
        {
            return word.StartsWith('-')
                ? $"{parsed.CommandResult.DescribeUnknownOption(word)}; see '{path} --help'"
                : $"'{path}' has no verb '{word}'{NearestName.Hint(word, verbs.Append("help"))} "
                    + $"(verbs: {string.Join(", ", verbs)})";
        }

        if (verbs.Count > 0)
        {
            return $"'{path}' needs a verb: {string.Join(", ", verbs)}";
        }

        return $"{DescribeProblem(parsed)}; see '{path} --help'";
    }

    static string DescribeProblem(ParseResult parsed)
    {
        var command = parsed.CommandResult;
        if (parsed.UnmatchedTokens is [['-', ..] option, ..])
        {
            return command.DescribeUnknownOption(option);
        }

        if (parsed.UnmatchedTokens is [var word, ..])
        {
            return DescribeExtraWord(command, word);
        }

        var error = parsed.Errors[0];
        if (FindMissingArgument(error) is { } missing)
        {
            return $"'{command.GetPath()}' needs <{missing.Name}>: {LowerFirst(missing.Description ?? "")}".TrimEnd(
                '.'
            );
        }

        return DescribeUnparsed(error) ?? error.Message.TrimEnd('.');
    }

    static string DescribeExtraWord(CommandResult command, string word)
    {
        var required = command
            .Command.Options.Where(option => option.Required && command.GetResult(option) is null or { Implicit: true })
            .Select(option => $"{option.Name} {word}")
            .FirstOrDefault();
        var hint = required is null ? "" : $"; did you mean '{required}'?";
        return $"'{command.GetPath()}' does not take '{word}'{hint}";
    }

    static Argument? FindMissingArgument(ParseError error) =>
        error.SymbolResult is ArgumentResult { Parent: CommandResult, Tokens.Count: 0 } result
            ? result.Argument
            : (error.SymbolResult as CommandResult)?.Command.Arguments.FirstOrDefault(argument =>
                argument.Arity.MinimumNumberOfValues > 0
            );

    /// <summary>A value that is not of its option's type; null where something else is wrong.</summary>
    static string? DescribeUnparsed(ParseError error)
    {
        var (name, type) = error.SymbolResult switch
        {
            OptionResult option => (option.Option.Name, option.Option.ValueType),
            ArgumentResult { Parent: OptionResult option } => (option.Option.Name, option.Option.ValueType),
            ArgumentResult argument => ($"<{argument.Argument.Name}>", argument.Argument.ValueType),
            _ => ("", null),
        };
        if (type is null || error.SymbolResult!.Tokens is not [.., var token] || IsOurs(error.Message, name))
        {
            return null;
        }

        var inner = Nullable.GetUnderlyingType(type) ?? type;
        return DescribeType(inner) is { } expected ? $"{name} is '{token.Value}'; it must be {expected}" : null;
    }

    /// <summary>Whether the message is one that a validator of ours wrote.</summary>
    static bool IsOurs(string message, string name) => message.StartsWith(name + " is ", StringComparison.Ordinal);

    static string? DescribeType(Type type)
    {
        if (type.IsEnum)
        {
            return "one of " + string.Join(", ", Enum.GetNames(type).Select(name => name.ToLowerInvariant()));
        }

        if (type == typeof(int) || type == typeof(long))
        {
            return "a whole number";
        }

        if (type == typeof(bool))
        {
            return "true or false";
        }

        return type == typeof(double) || type == typeof(float) ? "a number" : null;
    }

    static string LowerFirst(string text) => text.Length == 0 ? text : char.ToLowerInvariant(text[0]) + text[1..];
}
