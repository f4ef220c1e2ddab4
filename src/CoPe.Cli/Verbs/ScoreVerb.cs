using System.CommandLine;
using CoPe.Cli.Hub;
using CoPe.Cli.Scoring;
using CoPe.Runs;
using CoPe.Runs.Recipes;
using CoPe.Tokens;

namespace CoPe.Cli.Verbs;

/// <summary><c>cope score TEXT</c>.</summary>
static class ScoreVerb
{
    public static Command Create(CommandHost host)
    {
        var command = new Command("score", "Show the log-probability of every token of a text under the base model, a run's task-adaptive model, a user's adapter.");
        var text = new Argument<string?>("text") { Description = "The text; without it and --file, what is piped in.", Arity = ArgumentArity.ZeroOrOne };
        var file = new Option<string?>("--file") { Description = "Read the text from a file.", HelpName = "file" };
        var prompt = new Option<string?>("--prompt") { Description = "Score the text as the answer to this, in the model's chat template.", HelpName = "text" };
        var model = new Option<string?>("--model") { Description = ModelSource.Description + " By default the run's, or the embedded one.", HelpName = "model" };
        var run = new Option<string?>("--run") { Description = "A run: its model and its task-adaptive model.", HelpName = "folder" };
        var user = new Option<string?>("--user") { Description = "A user of the run: his adapters too.", HelpName = "id" };
        var adapter = new Option<string[]>("--adapter") { Description = "Folder of an adapter in PEFT's layout, on the base model; may be given several times.", HelpName = "folder", DefaultValueFactory = _ => [] };
        var dtype = DecodeDtypeOption.Create();
        var json = new Option<bool>("--json") { Description = "JSON instead of a table." };
        command.Arguments.Add(text);
        foreach (var option in (Option[])[file, prompt, model, run, user, adapter, dtype, json]) command.Options.Add(option);
        command.SetAction(parsed =>
        {
            var words = TextOf(host, parsed.GetValue(text), parsed.GetValue(file));
            var of = parsed.GetValue(run) is { } folder ? new RunDirectory(Path.Combine(host.Roots[0], folder), folder) : null;
            if (of is null && parsed.GetValue(user) is not null) throw new UsageException("--user is given without --run: name the run that trained the user's adapter");
            var recipe = RecipeOf(of, DecodeDtypeOption.Overrides(parsed, dtype));
            var columns = ScoreColumns.Of(of, parsed.GetValue(user), [.. parsed.GetValue(adapter)!.Select(one => Path.Combine(host.Roots[0], one))]);
            var name = parsed.GetValue(model) ?? recipe.Model;
            var source = ModelSource.Find(host, name);
            if (recipe.PredictionDtype() == WeightDtype.ScaledBytes) host.Error.WriteLine($"cope: {WeightLoading.Int8Warning}");
            using var lm = WeightLoading.Load(source, recipe.PredictionDtype(), Devices.Of(recipe));
            ScoreView.Write(host, name, new TextScoring(lm, ConversationEncoder.Load(source)).Score(parsed.GetValue(prompt), words, columns, host.Cancellation), parsed.GetValue(json));
            return ExitCode.Ok;
        });
        return command;
    }

    static Recipe RecipeOf(RunDirectory? run, string[] overrides) =>
        run is null ? RecipeFile.Parse<Recipe>("", "", overrides)
        : File.Exists(run.Recipe) ? Recipe.Read(run.Recipe, overrides) : throw new UsageException($"{run.Name} holds no recipe.yaml: name the folder of a run, for example runs/demo");

    static string TextOf(CommandHost host, string? text, string? file)
    {
        if (text is not null && file is not null) throw new UsageException("both a text and --file are given; give one of them");
        if (text is not null && text != "-") return text;
        var read = file is not null ? File.ReadAllText(Path.Combine(host.Roots[0], file))
            : host.In?.ReadToEnd() ?? throw new UsageException("name a text, a file with --file, or pipe one in, for example 'cope score \"Rain again\"'");
        return read.EndsWith('\n') ? read[..^1].TrimEnd('\r') : read; // the newline that ends a file is no part of the text
    }
}
