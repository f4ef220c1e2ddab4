using System.CommandLine;
using CoPe.Chat;
using CoPe.Cli.Display;
using CoPe.Cli.Hub;
using CoPe.Cli.Scoring;
using CoPe.Experiments.Runs;
using CoPe.Experiments.Runs.Recipes;
using CoPe.Experiments.Settings;

namespace CoPe.Cli.Verbs;

/// <summary><c>cope score TEXT</c>.</summary>
static class ScoreVerb
{
    public static Command Create(CommandHost host)
    {
        var command = new Command(
            "score",
            "Show the log-probability of every token of a text under the base model, a run's task-adaptive model, a user's adapter."
        );
        var text = new Argument<string?>("text")
        {
            Description = "The text; without it and --file, what is piped in.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var file = new Option<string?>("--file") { Description = "Read the text from a file.", HelpName = "file" };
        var prompt = new Option<string?>("--prompt")
        {
            Description = "Score the text as the answer to this, in the model's chat template.",
            HelpName = "text",
        };
        var model = new Option<string?>("--model")
        {
            Description = ModelSource.Description + " By default the run's, or the embedded one.",
            HelpName = "model",
        };
        var run = new Option<string?>("--run")
        {
            Description = "A run: its model and its task-adaptive model.",
            HelpName = "folder",
        };
        var user = new Option<string?>("--user")
        {
            Description = "A user of the run: his adapters too.",
            HelpName = "id",
        };
        var adapter = new Option<string[]>("--adapter")
        {
            Description = "Folder of an adapter in PEFT's layout, on the base model; may be given several times.",
            HelpName = "folder",
            DefaultValueFactory = _ => [],
        };
        var dtype = DecodeDtypeOption.Create();
        var json = new Option<bool>("--json") { Description = "JSON instead of a table." };
        command.Arguments.Add(text);
        foreach (var option in (Option[])[file, prompt, model, run, user, adapter, dtype, json])
        {
            command.Options.Add(option);
        }

        command.SetAction(parsed =>
        {
            var words = ReadText(host, parsed.GetValue(text), parsed.GetValue(file));
            var of = parsed.GetValue(run) is { } folder
                ? new RunDirectory(Path.Combine(host.SearchFolders[0], folder), folder)
                : null;
            if (of is null && parsed.GetValue(user) is not null)
            {
                throw new UsageException("--user is given without --run: name the run that trained the user's adapter");
            }

            var recipe = ReadRecipe(of, DecodeDtypeOption.ReadOverrides(parsed, dtype));
            var columns = ScoreColumns.Create(
                of,
                parsed.GetValue(user),
                [.. parsed.GetValue(adapter)!.Select(one => Path.Combine(host.SearchFolders[0], one))]
            );
            var name = parsed.GetValue(model) ?? recipe.Model;
            var source = ModelSource.Find(host, name);
            if (recipe.PredictionDtype() == WeightDtype.Int8)
            {
                host.Error.WriteLine($"cope: {ModelLoader.Int8Warning}");
            }

            using var lm = ModelLoader.Load(source, recipe.PredictionDtype(), DeviceSelector.Select(recipe));
            ScoreView.Write(
                host,
                name,
                new TokenScorer(lm, ConversationEncoder.Load(source)).Score(
                    parsed.GetValue(prompt),
                    words,
                    columns,
                    host.Cancellation
                ),
                parsed.GetValue(json)
            );
            return ExitCode.Ok;
        });
        return command;
    }

    static Recipe ReadRecipe(RunDirectory? run, string[] overrides) =>
        run is null ? SettingsFile.Parse<Recipe>("", "", overrides)
        : File.Exists(run.Recipe) ? Recipe.Read(run.Recipe, overrides)
        : throw new UsageException($"{run.Name} holds no recipe.yaml: name the folder of a run, for example runs/demo");

    static string ReadText(CommandHost host, string? text, string? file)
    {
        if (text is not null && file is not null)
        {
            throw new UsageException("both a text and --file are given; give one of them");
        }

        if (text is not null && text != "-")
        {
            return text;
        }

        var read = file is not null
            ? File.ReadAllText(Path.Combine(host.SearchFolders[0], file))
            : host.In?.ReadToEnd()
                ?? throw new UsageException(
                    "name a text, a file with --file, or pipe one in, for example 'cope score \"Rain again\"'"
                );
        // The newline that ends a file is no part of the text.
        return read.EndsWith('\n') ? read[..^1].TrimEnd('\r') : read;
    }
}
