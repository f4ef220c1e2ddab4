using System.CommandLine;
using CoPe.Cli.Hub;

namespace CoPe.Cli;

/// <summary>Options of every verb that works on a run.</summary>
sealed class RunOptions
{
    readonly Argument<string?> recipe = new("recipe") { Description = "Recipe file, or the name of a shipped one; by default that of the run.", Arity = ArgumentArity.ZeroOrOne };
    readonly Option<string?> run = new("--run") { Description = "Folder of the run; by default runs/NAME after the recipe (of a sweep runs/NAME-sweep), where one is named.", HelpName = "folder" };
    readonly Option<string[]> set = new("--set") { Description = "Sets a key of the recipe, for example dpo.beta=0.05; may be given several times.", HelpName = "key=value", DefaultValueFactory = _ => [] };
    readonly Option<string?> model = new("--model") { Description = ModelSource.Description, HelpName = "model" };
    readonly Option<string?> decodeDtype = DecodeDtypeOption.Create();
    readonly Option<int?> users = new("--users") { Description = "Only the first users of the file.", HelpName = "n" };
    readonly Option<bool> isolate = new("--isolate") { Description = "Trains each user alone: slower, and his adapter is the same to the bit whoever else there is." };
    readonly Option<string?> usersAtOnce = new("--users-at-once") { Description = "Users trained in one pass: a number, or auto for as many as memory allows (the default).", HelpName = "n|auto" };
    readonly Option<bool> restart = new("--restart") { Description = "Also makes stages anew that took more than ten minutes and were made from another recipe, model or data." };
    readonly Option<bool> quiet = new("--quiet") { Description = "No progress, only warnings and results." };
    readonly Option<bool> json = new("--json") { Description = "What is shown at the end as JSON instead of tables." };
    readonly Option<bool> verbose = new("--verbose") { Description = "More messages, and the origin of errors." };
    string? dtypeKey;

    /// <summary>Adds the options to a verb; <paramref name="takesRecipe"/> adds the recipe argument, <paramref name="trainsUsers"/> what concerns the training of users, <paramref name="runsAll"/> what concerns all stages of a run, <paramref name="dtypeKey"/> the choice of the decoding weights, which sets that key.</summary>
    public static RunOptions AddTo(Command command, bool takesRecipe = true, bool trainsUsers = false, bool runsAll = false, string? dtypeKey = null)
    {
        var options = new RunOptions { dtypeKey = dtypeKey };
        // An option that is not known would be taken for the recipe's name.
        options.recipe.Validators.Add(result => { if (result.Tokens is [{ Value: ['-', ..] and var option }]) result.AddError(CommandLine.NoOption((System.CommandLine.Parsing.CommandResult)result.Parent!, option)); });
        if (takesRecipe) command.Arguments.Add(options.recipe);
        else options.run.Description = "Folder of the run; by default one in runs/.";
        foreach (var option in (Option[])[options.run, options.set, options.model, options.users, options.quiet, options.verbose]) command.Options.Add(option);
        if (runsAll) command.Options.Add(options.restart);
        if (dtypeKey is not null) command.Options.Add(options.decodeDtype);
        if (!trainsUsers) return options;
        command.Options.Add(options.usersAtOnce);
        command.Options.Add(options.isolate);
        return options;
    }

    /// <summary>Adds <c>--json</c> to a verb that ends in figures or a list.</summary>
    public RunOptions WithJson(Command command)
    {
        command.Options.Add(json);
        return this;
    }

    /// <summary>What the person asked for.</summary>
    public RunRequest Read(ParseResult parsed, string? recipeName = null)
    {
        var users = parsed.GetValue(this.users);
        var model = parsed.GetValue(this.model);
        return new()
        {
            Recipe = recipeName ?? parsed.GetValue(recipe),
            Run = parsed.GetValue(run),
            Overrides = [.. parsed.GetValue(set) ?? [], .. model is not null ? (string[])[$"model={model}"] : [], .. users is { } count ? (string[])[$"users={count}"] : [],
                .. DecodeDtypeOption.Overrides(parsed, decodeDtype, dtypeKey), .. UsersAtOnce(parsed) is { } atOnce ? (string[])[$"sft.users_at_once={atOnce}", $"dpo.users_at_once={atOnce}"] : []],
            Restarts = parsed.CommandResult.Command.Options.Contains(restart) && parsed.GetValue(restart),
            IsQuiet = parsed.GetValue(quiet),
            IsJson = parsed.CommandResult.Command.Options.Contains(json) && parsed.GetValue(json),
            IsVerbose = parsed.GetValue(verbose),
        };
    }

    string? UsersAtOnce(ParseResult parsed)
    {
        if (!parsed.CommandResult.Command.Options.Contains(isolate)) return null;
        var atOnce = parsed.GetValue(usersAtOnce);
        if (atOnce is not null && atOnce != "auto" && !(int.TryParse(atOnce, out var count) && count > 0)) throw new UsageException($"--users-at-once is '{atOnce}'; it must be a number from 1 on, or auto");
        if (!parsed.GetValue(isolate)) return atOnce;
        return atOnce is null or "1" ? "1" : throw new UsageException($"--isolate trains one user at a time, --users-at-once {atOnce} does not: leave one of them out");
    }
}
