using CoPe.Cli.Display;
using CoPe.Cli.Hosting;
using CoPe.Cli.Sessions;
using CoPe.Experiments.Data;
using CoPe.Experiments.Data.Importing;
using CoPe.Experiments.Runs;
using CoPe.Experiments.Runs.Personal;
using CoPe.Experiments.Runs.Recipes;
using CoPe.Experiments.Tasks;

namespace CoPe.Cli.Verbs;

/// <summary>What <c>cope personalize</c> is given.</summary>
/// <param name="Person">Name of the person.</param>
/// <param name="Texts">Folder of their texts.</param>
/// <param name="Task">Shipped task or task file; null takes that of the run or of the public data.</param>
/// <param name="PublicData">Folder of other users' data; null takes those of the run, if it has any.</param>
/// <param name="ChoosesAgain">Rate and epochs are chosen again in a run that has them.</param>
sealed record PersonalSource(string Person, string Texts, string? Task, string? PublicData, bool ChoosesAgain);

/// <summary>
/// Writes a person's texts into a run, chooses rate, epochs and the length of answers where they are not given, and
/// runs it. A run that exists keeps its choice, model and keys: only what depends on the texts is trained again.
/// </summary>
/// <param name="host">The environment of the command.</param>
/// <param name="request">The run and its keys.</param>
/// <param name="source">The texts.</param>
sealed class PersonalizeRunner(CommandHost host, RunRequest request, PersonalSource source)
{
    bool _isShown;

    /// <summary>Runs what is not complete.</summary>
    public StageContext Execute()
    {
        var run = request.FindFolder(host)!;
        IReadOnlyList<string> chosen = [];
        if (FindKeysToChoose(run) is { } keys)
        {
            new RunSession(host, request).Execute(
                (pipeline, context) => chosen = Choose(pipeline, context, keys),
                WriteData
            );
        }

        var withChoice = request with { Overrides = [.. request.Overrides, .. chosen] };
        return new RunSession(host, withChoice).Execute(
            (pipeline, context) =>
            {
                pipeline.Run(context);
                PersonalChoice.End(context.Run);
            },
            WriteData
        );
    }

    /// <summary>Chooses on top of the task-adaptive model, which is trained before where there is one.</summary>
    static IReadOnlyList<string> Choose(Pipeline pipeline, StageContext context, PersonalChoiceKeys keys)
    {
        pipeline.CheckInputs(context);
        PersonalChoice.Begin(context.Run, keys);
        if (!context.Recipe.UsesBaseAsTam)
        {
            pipeline.Run(context, last: StageId.TrainTam);
        }

        return PersonalChoice.Choose(context, keys);
    }

    /// <summary>What is not given and not chosen yet; null where there is nothing to choose.</summary>
    PersonalChoiceKeys? FindKeysToChoose(RunDirectory run)
    {
        var isNew = !request.HoldsRecipe(host) || source.ChoosesAgain;
        var keys = PersonalChoice.FindPending(run) ?? (isNew ? new PersonalChoiceKeys(true, true, true) : null);
        return keys is null
            ? null
            : new(
                keys.Rate && !IsGiven("sft.learning_rate"),
                keys.Epochs && !IsGiven("sft.epochs"),
                keys.Length && !IsGiven("decode.max_new_tokens")
            );
    }

    bool IsGiven(string key) =>
        request.Overrides.Any(pair => pair.Split('=')[0].Trim().Equals(key, StringComparison.Ordinal));

    /// <summary>Writes the data from the texts as they are now into a folder.</summary>
    void WriteData(string folder)
    {
        var run = request.FindFolder(host)!;
        if (ForgottenUsers.Read(run).Contains(source.Person))
        {
            throw new RunException(
                $"{run.Name} has forgotten '{source.Person}', and their texts do not come back there: "
                    + "start a new run in another folder with --run FOLDER"
            );
        }

        var recipe = ResolvedRun.Read(host, request).Recipe;
        var definition = TaskFile.Read(InputPaths.FindTask(recipe.Task, host.ProgramFolders));
        var others = ReadPublicData(run, recipe, definition);
        var report = PersonalDataset.Write(folder, definition, (source.Person, source.Texts), others);
        if (!_isShown)
        {
            PersonalView.WriteTexts(host, report, request.IsQuiet);
            _isShown = true;
        }
    }

    /// <summary>The data that train the task-adaptive model: those named, else those of the run.</summary>
    LampDataset? ReadPublicData(RunDirectory run, Recipe recipe, TaskDefinition definition)
    {
        if (source.PublicData is { } folder)
        {
            return ReadDataset(host.FindFolder(folder), definition);
        }

        return !recipe.UsesBaseAsTam && LampFiles.FindTaskFolder(run.Data, definition.Task.Name) is not null
            ? ReadDataset(run.Data, definition)
            : null;
    }

    static LampDataset ReadDataset(string folder, TaskDefinition definition) =>
        LampFiles.Read(folder, definition.Task, new() { RequireGolds = false, OnUserSkipped = _ => { } });
}
