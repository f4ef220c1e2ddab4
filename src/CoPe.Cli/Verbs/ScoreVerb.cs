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
            "Show the log-probability of every token of a text under the base model, a run's task-adaptive model, "
                + "a user's adapter."
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
            Description = "A user of the run: their adapters too.",
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
        command.AddOptions(file, prompt, model, run, user, adapter, dtype, json);

        command.SetAction(parsed =>
        {
            var scoredText = ReadText(host, parsed.GetValue(text), parsed.GetValue(file));
            var trainedRun = parsed.GetValue(run) is { } folder ? new RunDirectory(host.PathOf(folder), folder) : null;
            if (trainedRun is null && parsed.GetValue(user) is not null)
            {
                throw new UsageException("--user is given without --run: name the run that trained the user's adapter");
            }

            var recipe = ReadRecipe(trainedRun, DecodeDtypeOption.ReadOverrides(parsed, dtype));
            var adapterFolders = parsed.GetValue(adapter)!.Select(host.PathOf).ToList();
            var columns = ScoreColumn.List(trainedRun, parsed.GetValue(user), adapterFolders);
            var modelName = parsed.GetValue(model) ?? recipe.Model;
            var modelFolder = ModelSource.Find(host, modelName);
            if (recipe.PredictionDtype() == WeightDtype.Int8)
            {
                host.WriteMessage(ModelLoader.Int8Warning);
            }

            using var lm = ModelLoader.Load(modelFolder, recipe.PredictionDtype(), DeviceSelector.Select(recipe));
            var scorer = new TokenScorer(lm, ConversationEncoder.Load(modelFolder));
            var scores = scorer.Score(parsed.GetValue(prompt), scoredText, columns, host.Cancellation);
            ScoreView.Write(host, modelName, scores, parsed.GetValue(json));
            return ExitCode.Ok;
        });
        return command;
    }

    static Recipe ReadRecipe(RunDirectory? run, string[] overrides)
    {
        if (run is null)
        {
            return SettingsFile.Parse<Recipe>("", "", overrides);
        }

        return File.Exists(run.Recipe)
            ? Recipe.Read(run.Recipe, overrides)
            : throw new UsageException(
                $"{run.Name} holds no recipe.yaml: name the folder of a run, for example runs/demo"
            );
    }

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

        var read = file is null ? host.In?.ReadToEnd() : File.ReadAllText(host.PathOf(file));
        if (read is null)
        {
            throw new UsageException(
                "name a text, a file with --file, or pipe one in, for example 'cope score \"Rain again\"'"
            );
        }

        // The newline that ends a file is no part of the text.
        return read.EndsWith('\n') ? read[..^1].TrimEnd('\r') : read;
    }
}
