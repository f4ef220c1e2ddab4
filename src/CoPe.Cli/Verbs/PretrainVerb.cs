using System.CommandLine;
using CoPe.Cli.Display;
using CoPe.Cli.Hosting;
using CoPe.Experiments.Runs;
using CoPe.Experiments.Runs.Pretraining;
using CoPe.Experiments.Settings;

namespace CoPe.Cli.Verbs;

/// <summary><c>cope pretrain RECIPE</c>.</summary>
static class PretrainVerb
{
    const string Stage = "pretrain";

    public static Command Create(CommandHost host)
    {
        var command = new Command(
            "pretrain",
            "Train a small base model from scratch: corpus, tokenizer, weights. "
                + "Interrupted, it resumes when started again."
        );
        var recipe = new Argument<string>("recipe")
        {
            Description = "Recipe file, for example recipes/pretrain/cope-tiny.yaml.",
        };
        var output = new Option<string?>("--output")
        {
            Description = "Folder of the model; by default the recipe's.",
            HelpName = "folder",
        };
        var set = new Option<string[]>("--set")
        {
            Description = "Set a recipe key, for example training.epochs=2; may be given several times.",
            HelpName = "key=value",
            DefaultValueFactory = _ => [],
        };
        command.Arguments.Add(recipe);
        command.AddOptions(output, set);
        command.SetAction(parsed =>
            Train(host, parsed.GetValue(recipe)!, parsed.GetValue(output), parsed.GetValue(set)!)
        );
        return command;
    }

    static int Train(CommandHost host, string file, string? output, string[] overrides)
    {
        var path =
            host.SearchFolders.Select(root => Path.Combine(root, file)).FirstOrDefault(File.Exists)
            ?? throw new SettingsException(
                $"{file}: no such file; name a pre-training recipe, for example recipes/pretrain/cope-tiny.yaml"
            );
        var recipe = SettingsFile.Read<PretrainRecipe>(path, overrides);
        var folder = output ?? recipe.Output;
        if (folder.Length == 0)
        {
            throw new SettingsException($"{file}: 'output' is missing; name the model's folder there or with --output");
        }

        using var display = RunDisplay.Create(host, new RunRequest(), [Stage]);
        display.Report(new StageEvent(Stage, StageEventKind.Started));
        display.ShowWhile(() =>
            ModelPretraining.CreateModel(recipe, host.PathOf(folder), display, display, host.Cancellation)
        );
        host.Out.WriteLine(folder);
        return ExitCode.Ok;
    }
}
