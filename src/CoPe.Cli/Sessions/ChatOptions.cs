using System.CommandLine;
using System.Globalization;
using CoPe.Cli.Failures;
using CoPe.Cli.Hosting;
using CoPe.Experiments.Runs;
using CoPe.Experiments.Runs.Chat;

namespace CoPe.Cli.Sessions;

/// <summary>The options of <c>cope chat</c> and <c>cope write</c> that say who answers, and how.</summary>
sealed class ChatOptions
{
    readonly Argument<string> _run = new("run") { Description = "Folder of the run." };

    readonly Option<string?> _user = new("--user")
    {
        Description = "User; may be left out where there is one.",
        HelpName = "id",
    };

    readonly Option<double?> _contrast = new("--contrast")
    {
        Description = "Weight of the contrast; 0 is the user's model alone; by default the run's.",
        HelpName = "x",
    };

    readonly Option<double?> _unlessCertain = new("--contrast-unless-certain")
    {
        Description =
            "Where the task's model gives a token more than this probability, the user's model chooses alone; "
            + "1 is nowhere; by default the run's.",
        HelpName = "p",
    };

    readonly Option<double?> _plausibility = new("--plausibility")
    {
        Description = "Share of the likeliest token's probability that a token needs; by default the run's.",
        HelpName = "x",
    };

    readonly Option<double?> _temperature = new("--temperature")
    {
        Description = "Draws tokens at this temperature; 0 takes the best one; by default the run's.",
        HelpName = "x",
    };

    readonly Option<long?> _seed = new("--seed")
    {
        Description = "Seed of what is drawn; by default the run's.",
        HelpName = "n",
    };

    readonly Option<int?> _tokens = new("--tokens")
    {
        Description = "Most tokens of an answer; by default the run's.",
        HelpName = "n",
    };

    readonly Option<string> _words = new("--words")
    {
        Description = "task: worded as the run's task words a request, as in training; off: as it is.",
        HelpName = "task|off",
        DefaultValueFactory = _ => "task",
    };

    readonly Option<string?> _dtype = DecodeDtypeOption.Create();
    readonly Option<bool> _allowStale = AllowStaleOption.Create();
    readonly Option<bool> _verbose = new("--verbose") { Description = "The stack trace of an error." };

    public static ChatOptions AddTo(Command command)
    {
        var options = new ChatOptions();
        command.Arguments.Add(options._run);
        command.AddOptions(
            options._user,
            options._contrast,
            options._unlessCertain,
            options._plausibility,
            options._temperature,
            options._seed,
            options._tokens,
            options._words,
            options._dtype,
            options._allowStale,
            options._verbose
        );
        return options;
    }

    /// <summary>The run as it is.</summary>
    public RunRequest ReadRequest(ParseResult parsed) =>
        new()
        {
            Run = parsed.GetValue(_run),
            Overrides = DecodeDtypeOption.ReadOverrides(parsed, _dtype),
            IsQuiet = true,
        };

    /// <summary>The run as it is read: with what is out of date, where the command line says so.</summary>
    public StageContext ReadContext(ParseResult parsed, StageContext context) =>
        context with
        {
            AllowStale = parsed.GetValue(_allowStale),
        };

    public string? ReadUser(ParseResult parsed) => parsed.GetValue(_user);

    /// <summary>How to answer; what is not given is the run's.</summary>
    /// <exception cref="UsageException">A value is out of its range.</exception>
    public ChatSessionOptions ReadSessionOptions(ParseResult parsed, StageContext context)
    {
        try
        {
            return new()
            {
                Contrast = parsed.GetValue(_contrast) ?? context.Recipe.Decode.Decoding.Contrast,
                ContrastUnlessCertain = parsed.GetValue(_unlessCertain),
                Plausibility = parsed.GetValue(_plausibility),
                Temperature = parsed.GetValue(_temperature),
                Seed = parsed.GetValue(_seed),
                MaxNewTokens = ReadTokens(parsed, context),
                UsesTaskPrompt = parsed.GetValue(_words) switch
                {
                    "task" => true,
                    "off" => false,
                    var other => throw new UsageException($"--words is '{other}'; it must be task or off"),
                },
            };
        }
        catch (ArgumentOutOfRangeException error)
        {
            throw new UsageException(DescribeRange("--", error));
        }
    }

    /// <summary>What a value out of range must be, by the option's or the command's name.</summary>
    /// <param name="prefix"><c>--</c> or <c>/</c>.</param>
    /// <param name="error">What the record of options threw.</param>
    public static string DescribeRange(string prefix, ArgumentOutOfRangeException error)
    {
        var name = error.ParamName ?? "";
        var message = error.Message.Split(" (Parameter", 2)[0];
        var option = name switch
        {
            nameof(ChatSessionOptions.MaxNewTokens) => "tokens",
            nameof(ChatSessionOptions.ContrastUnlessCertain) => "contrast-unless-certain",
            _ => name.ToLowerInvariant(),
        };
        return message.Replace($"{nameof(ChatSessionOptions)}.{name}", prefix + option, StringComparison.Ordinal);
    }

    /// <summary>What is wrong with a number of tokens; null where a prompt fits beside them.</summary>
    public static string? DescribeTokens(string option, int tokens, int limit) =>
        tokens >= 1 && tokens <= limit
            ? null
            : string.Create(
                CultureInfo.InvariantCulture,
                $"{option} is {tokens}; it must be at least 1 and at most {limit}: the model's context holds "
                    + $"{limit + 1} tokens, prompt and answer together"
            );

    int? ReadTokens(ParseResult parsed, StageContext context)
    {
        var tokens = parsed.GetValue(_tokens);
        var limit = context.Workspace.ContextLength - 1;
        return tokens is { } given && DescribeTokens("--tokens", given, limit) is { } problem
            ? throw new UsageException(problem)
            : tokens;
    }
}
