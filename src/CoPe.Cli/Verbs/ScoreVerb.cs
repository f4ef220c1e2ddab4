using System.CommandLine;
using CoPe.Chat;
using CoPe.Cli.Display;
using CoPe.Cli.Failures;
using CoPe.Cli.Hosting;
using CoPe.Cli.Scoring;
using CoPe.Cli.Sessions;
using CoPe.Decoding;
using CoPe.Experiments.Runs;
using CoPe.Experiments.Runs.Artifacts;
using CoPe.Experiments.Runs.Recipes;
using CoPe.Experiments.Settings;

namespace CoPe.Cli.Verbs;

/// <summary><c>cope score TEXT</c>.</summary>
static class ScoreVerb
{
    static readonly Argument<string?> TextArgument = new("text")
    {
        Description = "The text; without it and --file, what is piped in.",
        Arity = ArgumentArity.ZeroOrOne,
    };

    static readonly Option<string?> FileOption = new("--file")
    {
        Description = "Read the text from a file.",
        HelpName = "file",
    };

    static readonly Option<string?> PromptOption = new("--prompt")
    {
        Description = "Score the text as the answer to this, in the model's chat template.",
        HelpName = "text",
    };

    static readonly Option<string?> ModelOption = new("--model")
    {
        Description = ModelSource.Description + " By default the run's, or the embedded one.",
        HelpName = "model",
    };

    static readonly Option<string?> RunOption = new("--run")
    {
        Description = "A run: its model and its task-adaptive model.",
        HelpName = "folder",
    };

    static readonly Option<string?> UserOption = new("--user")
    {
        Description = "A user of the run: their adapters too.",
        HelpName = "id",
    };

    static readonly Option<string[]> AdapterOption = new("--adapter")
    {
        Description = "Folder of an adapter in PEFT's layout, on the base model; may be given several times.",
        HelpName = "folder",
        DefaultValueFactory = _ => [],
    };

    static readonly Option<bool> JsonOption = new("--json") { Description = "JSON instead of a table." };

    public static Command Create(CommandHost host)
    {
        var command = new Command(
            "score",
            "Show the log-probability of every token of a text under the base model, a run's task-adaptive model, "
                + "a user's adapter."
        );
        var dtype = DecodeDtypeOption.Create();
        var allowStale = AllowStaleOption.Create();
        command.Arguments.Add(TextArgument);
        command.AddOptions(
            FileOption,
            PromptOption,
            ModelOption,
            RunOption,
            UserOption,
            AdapterOption,
            dtype,
            allowStale,
            JsonOption
        );

        command.SetAction(parsed =>
        {
            var scoredText = ReadText(host, parsed.GetValue(TextArgument), parsed.GetValue(FileOption));
            var trainedRun = parsed.GetValue(RunOption) is { } folder ? InterruptedRebuild.OpenRun(host, folder) : null;
            if (trainedRun is null && parsed.GetValue(UserOption) is not null)
            {
                throw new UsageException("--user is given without --run: name the run that trained the user's adapter");
            }

            var recipe = ReadRecipe(trainedRun, DecodeDtypeOption.ReadOverrides(parsed, dtype));
            var isStaleAllowed = parsed.GetValue(allowStale);
            var folders = AdapterFolders.Find(host, parsed.GetValue(AdapterOption)!, isStaleAllowed);
            var adapters = trainedRun is null ? null : OpenAdapters(host, trainedRun, isStaleAllowed);
            var columns = ScoreColumn.List(adapters, parsed.GetValue(UserOption), folders);
            host.WriteWarnings(adapters?.Warnings ?? []);
            var modelName = parsed.GetValue(ModelOption) is { } typed ? ModelSource.Resolve(host, typed) : recipe.Model;
            var modelFolder = ModelSource.FindNamed(host, modelName, isQuiet: false);
            if (ModelLoader.GetWarning(recipe.PredictionDtype()) is { } warning)
            {
                host.WriteMessage(warning);
            }

            using var lm = ModelLoader.Load(
                modelFolder,
                recipe.PredictionDtype(),
                DeviceSelector.Select(recipe),
                host.WriteMessage
            );
            var encoder = ConversationEncoder.Load(modelFolder);
            TokenizerFit.Check(modelFolder, encoder, lm.Config);
            ModelSource.WarnAboutConflicts(host, modelName, modelFolder, encoder);
            var scorer = new TokenScorer(lm, encoder);
            var scores = scorer.Score(parsed.GetValue(PromptOption), scoredText, columns, host.Cancellation);
            ScoreView.Write(host, modelName, scores, parsed.GetValue(JsonOption));
            return ExitCode.Ok;
        });
        return command;
    }

    static RunAdapters OpenAdapters(CommandHost host, RunDirectory run, bool allowStale)
    {
        using var opened = new RunSession(host, new() { Run = run.Name }).Open(takesLock: false);
        return new(host.Pipeline, opened.Context, allowStale);
    }

    static Recipe ReadRecipe(RunDirectory? run, string[] overrides)
    {
        if (run is null)
        {
            return SettingsFile.Parse<Recipe>("", "", overrides);
        }

        return File.Exists(run.Recipe)
            ? RunRecipe.Read(run, overrides)
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

        var read = file is null ? host.In?.ReadToEnd() : TextEncoding.ReadAllText(host.PathOf(file));
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
