using System.CommandLine;
using System.CommandLine.Parsing;
using CoPe.Cli.Failures;
using CoPe.Cli.Hosting;
using CoPe.Experiments.Runs;
using CoPe.Experiments.Runs.Recipes;
using CoPe.Experiments.Settings;

namespace CoPe.Cli.Sessions;

/// <summary>Options of every verb that works on a run.</summary>
sealed class RunOptions
{
    readonly Argument<string?> _recipe = new("recipe")
    {
        Description = "Recipe file, or the name of a shipped one; by default that of the run.",
        Arity = ArgumentArity.ZeroOrOne,
    };

    readonly Argument<string?> _namedRun = new("run")
    {
        Description = "Folder of the run.",
        Arity = ArgumentArity.ZeroOrOne,
    };

    readonly Option<string?> _namedRecipe = new("--recipe")
    {
        Description = "Recipe file, or the name of a shipped one, to ask about; by default that of the run.",
        HelpName = "recipe",
    };

    readonly Option<string?> _run = new("--run")
    {
        Description =
            "Folder of the run; by default runs/NAME with the name of the recipe, of a sweep runs/NAME-sweep.",
        HelpName = "folder",
    };

    readonly Option<string[]> _set = new("--set")
    {
        Description = "Sets a key of the recipe, for example dpo.beta=0.05; may be given several times.",
        HelpName = "key=value",
        DefaultValueFactory = _ => [],
    };

    readonly Option<string[]> _with = new("--with")
    {
        Description = "Puts the keys of another recipe over it, for example fast; may be given several times.",
        HelpName = "recipe",
        DefaultValueFactory = _ => [],
    };

    readonly Option<string?> _model = new("--model") { Description = ModelSource.Description, HelpName = "model" };

    readonly Option<string?> _decodeDtype = DecodeDtypeOption.Create();

    readonly Option<int?> _users = new("--users") { Description = "Only the first users of the file.", HelpName = "n" };

    readonly Option<bool> _isolate = new("--isolate")
    {
        Description =
            "Trains each user alone: slower, and their adapter is the same to the bit whoever the other users are.",
    };

    readonly Option<string?> _usersAtOnce = new("--users-at-once")
    {
        Description = "Users trained in one pass: a number, or auto for as many as memory allows (the default).",
        HelpName = "n|auto",
    };

    readonly Option<bool> _restart = new("--restart")
    {
        Description =
            "Also rebuilds stages that took more than ten minutes and were built from another recipe, model or data.",
    };

    readonly Option<bool> _quiet = new("--quiet") { Description = "No progress, only warnings and results." };
    readonly Option<bool> _json = new("--json") { Description = "The results as JSON instead of tables." };
    readonly Option<bool> _verbose = new("--verbose")
    {
        Description = "More messages, and the stack trace of an error.",
    };

    string? _dtypeKey;

    /// <summary>Adds the options to a verb.</summary>
    /// <param name="command">The verb.</param>
    /// <param name="takesRecipe">Adds the recipe argument.</param>
    /// <param name="trainsUsers">Adds the options for training users.</param>
    /// <param name="runsAll">Adds the options for all stages of a run.</param>
    /// <param name="dtypeKey">Adds <c>--decode-dtype</c>, which sets this key of the recipe.</param>
    public static RunOptions AddTo(
        Command command,
        bool takesRecipe = true,
        bool trainsUsers = false,
        bool runsAll = false,
        string? dtypeKey = null
    )
    {
        var options = new RunOptions { _dtypeKey = dtypeKey };
        if (takesRecipe)
        {
            options._recipe.Validators.Add(RefuseUnknownOption);
            command.Arguments.Add(options._recipe);
        }
        else
        {
            options._run.Description = "Folder of the run; by default one in runs/.";
        }

        command.AddOptions(
            options._run,
            options._with,
            options._set,
            options._model,
            options._users,
            options._quiet,
            options._verbose
        );
        if (runsAll)
        {
            command.AddOptions(options._restart);
        }

        if (dtypeKey is not null)
        {
            command.AddOptions(options._decodeDtype);
        }

        if (trainsUsers)
        {
            command.AddOptions(options._usersAtOnce, options._isolate);
        }

        return options;
    }

    /// <summary>Adds the options to a verb that asks about a run and names it first.</summary>
    public static RunOptions AddToInspection(Command command)
    {
        var options = AddTo(command, takesRecipe: false);
        options._namedRun.Validators.Add(RefuseUnknownOption);
        options._run.Description = "The same as <run>.";
        command.Arguments.Add(options._namedRun);
        command.AddOptions(options._namedRecipe);
        return options;
    }

    /// <summary>Adds <c>--json</c> to a verb that ends in figures or a list.</summary>
    public RunOptions AddJson(Command command)
    {
        command.AddOptions(_json);
        return this;
    }

    /// <summary>What the command line says.</summary>
    /// <param name="host">Where recipes are looked for.</param>
    /// <param name="parsed">The command line.</param>
    /// <param name="recipeName">The recipe of a verb that has its own.</param>
    public RunRequest Read(CommandHost host, ParseResult parsed, string? recipeName = null) =>
        new()
        {
            Recipe = ReadRecipeName(parsed),
            DefaultRecipe = recipeName,
            Run = ReadRun(parsed),
            Overrides = [.. ReadOverlays(host, parsed), .. ReadOverrides(parsed)],
            AllowCostlyRebuild = parsed.HasOption(_restart) && parsed.GetValue(_restart),
            IsQuiet = parsed.GetValue(_quiet),
            IsJson = parsed.HasOption(_json) && parsed.GetValue(_json),
            IsVerbose = parsed.GetValue(_verbose),
        };

    string? ReadRecipeName(ParseResult parsed) =>
        parsed.HasOption(_namedRecipe) ? parsed.GetValue(_namedRecipe)
        : parsed.CommandResult.Command.Arguments.Contains(_recipe) ? parsed.GetValue(_recipe)
        : null;

    string? ReadRun(ParseResult parsed)
    {
        var named = parsed.CommandResult.Command.Arguments.Contains(_namedRun) ? parsed.GetValue(_namedRun) : null;
        var run = parsed.GetValue(_run);
        return named is not null && run is not null && named != run
            ? throw new UsageException($"two runs are named, {named} and --run {run}: name one of them")
            : named ?? run;
    }

    /// <summary>Without this, an unknown option would be taken for the recipe's name.</summary>
    static void RefuseUnknownOption(ArgumentResult result)
    {
        if (result.Tokens is [{ Value: ['-', ..] and var option }])
        {
            result.AddError(((CommandResult)result.Parent!).DescribeUnknownOption(option));
        }
    }

    IEnumerable<string> ReadOverlays(CommandHost host, ParseResult parsed) =>
        (parsed.GetValue(_with) ?? []).SelectMany(recipe =>
            SettingsFile.ReadOverrides<Recipe>(ShippedRecipes.Find(host, recipe))
        );

    List<string> ReadOverrides(ParseResult parsed)
    {
        var overrides = new List<string>(parsed.GetValue(_set) ?? []);
        if (parsed.GetValue(_model) is { } model)
        {
            overrides.Add($"model={model}");
        }

        if (parsed.GetValue(_users) is { } users)
        {
            overrides.Add($"users={users}");
        }

        overrides.AddRange(DecodeDtypeOption.ReadOverrides(parsed, _decodeDtype, _dtypeKey));
        if (ReadUsersAtOnce(parsed) is { } usersAtOnce)
        {
            overrides.Add($"sft.users_at_once={usersAtOnce}");
            overrides.Add($"dpo.users_at_once={usersAtOnce}");
        }

        return overrides;
    }

    string? ReadUsersAtOnce(ParseResult parsed)
    {
        if (!parsed.HasOption(_isolate))
        {
            return null;
        }

        var usersAtOnce = parsed.GetValue(_usersAtOnce);
        var isValid = usersAtOnce is null or "auto" || (int.TryParse(usersAtOnce, out var count) && count > 0);
        if (!isValid)
        {
            throw new UsageException($"--users-at-once is '{usersAtOnce}'; it must be a number from 1 on, or auto");
        }

        if (!parsed.GetValue(_isolate))
        {
            return usersAtOnce;
        }

        return usersAtOnce is null or "1"
            ? "1"
            : throw new UsageException(
                $"--isolate trains one user at a time, --users-at-once {usersAtOnce} does not: leave one of them out"
            );
    }
}

/// <summary>
/// <c>--decode-dtype</c>, which sets a key of the recipe: <c>decode_dtype</c> for everything that decodes, or
/// <c>decode.dtype</c> for the answers alone.
/// </summary>
static class DecodeDtypeOption
{
    static string Choices => string.Join(", ", ModelLoader.DtypeNames);

    /// <summary>The option of a command.</summary>
    public static Option<string?> Create()
    {
        var option = new Option<string?>("--decode-dtype")
        {
            Description =
                $"Number type of the weights while decoding and scoring: {Choices}. "
                + "int8 and q4 are lossy and for the CPU alone: half and a third of the memory, about half the time "
                + "of a token.",
            HelpName = "type",
        };
        option.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && !ModelLoader.DtypeNames.Contains(token.Value))
            {
                result.AddError($"--decode-dtype is '{token.Value}'; it must be one of {Choices}");
            }
        });
        return option;
    }

    /// <summary>The recipe's key and its value, where the command has the option and it is given.</summary>
    public static string[] ReadOverrides(ParseResult parsed, Option<string?> option, string? key = "decode.dtype")
    {
        var dtype = parsed.HasOption(option) ? parsed.GetValue(option) : null;
        return dtype is null ? [] : [$"{key}={dtype}"];
    }
}
