using System.CommandLine;
using CoPe.Cli.Hub;
using CoPe.Experiments.Runs;

namespace CoPe.Cli;

/// <summary>Options of every verb that works on a run.</summary>
sealed class RunOptions
{
    readonly Argument<string?> _recipe = new("recipe")
    {
        Description = "Recipe file, or the name of a shipped one; by default that of the run.",
        Arity = ArgumentArity.ZeroOrOne,
    };
    readonly Option<string?> _run = new("--run")
    {
        Description =
            "Folder of the run; by default runs/NAME after the recipe (of a sweep runs/NAME-sweep), where one is named.",
        HelpName = "folder",
    };
    readonly Option<string[]> _set = new("--set")
    {
        Description = "Sets a key of the recipe, for example dpo.beta=0.05; may be given several times.",
        HelpName = "key=value",
        DefaultValueFactory = _ => [],
    };
    readonly Option<string?> _model = new("--model") { Description = ModelSource.Description, HelpName = "model" };
    readonly Option<string?> _decodeDtype = DecodeDtypeOption.Create();
    readonly Option<int?> _users = new("--users") { Description = "Only the first users of the file.", HelpName = "n" };
    readonly Option<bool> _isolate = new("--isolate")
    {
        Description = "Trains each user alone: slower, and his adapter is the same to the bit whoever else there is.",
    };
    readonly Option<string?> _usersAtOnce = new("--users-at-once")
    {
        Description = "Users trained in one pass: a number, or auto for as many as memory allows (the default).",
        HelpName = "n|auto",
    };
    readonly Option<bool> _restart = new("--restart")
    {
        Description =
            "Also makes stages anew that took more than ten minutes and were made from another recipe, model or data.",
    };
    readonly Option<bool> _quiet = new("--quiet") { Description = "No progress, only warnings and results." };
    readonly Option<bool> _json = new("--json") { Description = "What is shown at the end as JSON instead of tables." };
    readonly Option<bool> _verbose = new("--verbose") { Description = "More messages, and the origin of errors." };
    string? _dtypeKey;

    /// <summary>
    /// Adds the options to a verb; <paramref name="takesRecipe"/> adds the recipe argument,
    /// <paramref name="trainsUsers"/> what concerns the training of users, <paramref name="runsAll"/> what concerns all
    /// stages of a run, <paramref name="dtypeKey"/> the choice of the decoding weights, which sets that key.
    /// </summary>
    public static RunOptions AddTo(
        Command command,
        bool takesRecipe = true,
        bool trainsUsers = false,
        bool runsAll = false,
        string? dtypeKey = null
    )
    {
        var options = new RunOptions { _dtypeKey = dtypeKey };
        // An option that is not known would be taken for the recipe's name.
        options._recipe.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: ['-', ..] and var option }])
            {
                result.AddError(
                    CommandLine.DescribeUnknownOption((System.CommandLine.Parsing.CommandResult)result.Parent!, option)
                );
            }
        });
        if (takesRecipe)
        {
            command.Arguments.Add(options._recipe);
        }
        else
        {
            options._run.Description = "Folder of the run; by default one in runs/.";
        }

        foreach (
            var option in (Option[])
                [options._run, options._set, options._model, options._users, options._quiet, options._verbose]
        )
        {
            command.Options.Add(option);
        }

        if (runsAll)
        {
            command.Options.Add(options._restart);
        }

        if (dtypeKey is not null)
        {
            command.Options.Add(options._decodeDtype);
        }

        if (!trainsUsers)
        {
            return options;
        }

        command.Options.Add(options._usersAtOnce);
        command.Options.Add(options._isolate);
        return options;
    }

    /// <summary>Adds <c>--json</c> to a verb that ends in figures or a list.</summary>
    public RunOptions AddJson(Command command)
    {
        command.Options.Add(_json);
        return this;
    }

    /// <summary>What the person asked for.</summary>
    public RunRequest Read(ParseResult parsed, string? recipeName = null)
    {
        var users = parsed.GetValue(_users);
        var model = parsed.GetValue(_model);
        return new()
        {
            Recipe = recipeName ?? parsed.GetValue(_recipe),
            Run = parsed.GetValue(_run),
            Overrides =
            [
                .. parsed.GetValue(_set) ?? [],
                .. model is not null ? (string[])[$"model={model}"] : [],
                .. users is { } count ? (string[])[$"users={count}"] : [],
                .. DecodeDtypeOption.ReadOverrides(parsed, _decodeDtype, _dtypeKey),
                .. ReadUsersAtOnce(parsed) is { } atOnce
                    ? (string[])[$"sft.users_at_once={atOnce}", $"dpo.users_at_once={atOnce}"]
                    : [],
            ],
            AllowCostlyRebuild = parsed.CommandResult.Command.Options.Contains(_restart) && parsed.GetValue(_restart),
            IsQuiet = parsed.GetValue(_quiet),
            IsJson = parsed.CommandResult.Command.Options.Contains(_json) && parsed.GetValue(_json),
            IsVerbose = parsed.GetValue(_verbose),
        };
    }

    string? ReadUsersAtOnce(ParseResult parsed)
    {
        if (!parsed.CommandResult.Command.Options.Contains(_isolate))
        {
            return null;
        }

        var atOnce = parsed.GetValue(_usersAtOnce);
        if (atOnce is not null && atOnce != "auto" && !(int.TryParse(atOnce, out var count) && count > 0))
        {
            throw new UsageException($"--users-at-once is '{atOnce}'; it must be a number from 1 on, or auto");
        }

        if (!parsed.GetValue(_isolate))
        {
            return atOnce;
        }

        return atOnce is null or "1"
            ? "1"
            : throw new UsageException(
                $"--isolate trains one user at a time, --users-at-once {atOnce} does not: leave one of them out"
            );
    }
}

/// <summary>Which recipe is to be run where, and how much is to be said meanwhile.</summary>
sealed record RunRequest
{
    public string? Recipe { get; init; }

    public string? Run { get; init; }

    public IReadOnlyList<string> Overrides { get; init; } = [];

    /// <summary>Work made from another recipe or data gives way, however long it took.</summary>
    public bool AllowCostlyRebuild { get; init; }

    public bool IsQuiet { get; init; }

    public bool IsJson { get; init; }

    public bool IsVerbose { get; init; }

    /// <summary>The recipe file, and the run's folder.</summary>
    public (string SettingsFile, RunDirectory Run) Locate(CommandHost host)
    {
        if (Recipe is null)
        {
            var run = RunAt(
                host,
                Run
                    ?? throw new UsageException(
                        "name a recipe, or the folder of a run with --run; 'cope recipes ls' lists the shipped recipes"
                    )
            );
            return File.Exists(run.Recipe)
                ? (run.Recipe, run)
                : throw new UsageException(
                    $"{run.Name} holds no recipe.yaml yet: name a recipe as well, for example 'cope run demo --run {run.Name}'"
                );
        }

        var file = ShippedRecipes.Find(host, Recipe);
        return (file, RunAt(host, Run ?? Path.Combine("runs", Path.GetFileNameWithoutExtension(file))));
    }

    static RunDirectory RunAt(CommandHost host, string path) => new(Path.Combine(host.SearchFolders[0], path), path);
}

/// <summary>
/// <c>--decode-dtype</c>, which sets a key of the recipe: <c>decode_dtype</c> for all that decodes, or
/// <c>decode.dtype</c> for what a verb alone does.
/// </summary>
static class DecodeDtypeOption
{
    /// <summary>The option of a command.</summary>
    public static Option<string?> Create()
    {
        var option = new Option<string?>("--decode-dtype")
        {
            Description =
                $"Number type of the weights while decoding and scoring: {string.Join(", ", ModelLoader.DtypeNames)}. int8 is lossy and for the processor alone: half the memory, little more than half the time of a token.",
            HelpName = "type",
        };
        option.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && !ModelLoader.DtypeNames.Contains(token.Value))
            {
                result.AddError(
                    $"--decode-dtype is '{token.Value}'; it must be one of {string.Join(", ", ModelLoader.DtypeNames)}"
                );
            }
        });
        return option;
    }

    /// <summary>What it changes in the recipe, on a command that has it.</summary>
    public static string[] ReadOverrides(ParseResult parsed, Option<string?> option, string? key = "decode.dtype") =>
        parsed.CommandResult.Command.Options.Contains(option) && parsed.GetValue(option) is { } dtype
            ? [$"{key}={dtype}"]
            : [];
}
