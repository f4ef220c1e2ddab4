using CoPe.Adapters;
using CoPe.Experiments.Runs.Recipes;
using CoPe.Training;
using Microsoft.Extensions.Logging;

namespace CoPe.Experiments.Runs.Stages;

/// <summary>
/// Stage 1: one adapter on the queries of the other users makes the task-adaptive model; with the users' own histories
/// as well, the baseline that is trained on everyone.
/// </summary>
/// <param name="kind">On whom.</param>
sealed class TrainTamStage(TaskAdapterKind kind) : Stage
{
    const string TrainingName = "tam";

    public override StageId Id => OnEveryone ? StageId.TrainTamAll : StageId.TrainTam;

    public override IReadOnlyList<string> RecipeKeys =>
        [
            "task",
            "device",
            "seed",
            "model_dtype",
            "tam",
            .. OnEveryone ? (string[])["users", "history_limit", "development_items"] : [],
        ];

    public override InputKinds Reads =>
        OnEveryone ? InputKinds.Files : InputKinds.Model | InputKinds.Wording | InputKinds.Others;

    public override IEnumerable<StageOutput> Outputs(RunDirectory run) =>
        [
            OnEveryone ? new JointAdapter(AdapterOf(run)) : new TaskOutput(AdapterOf(run)),
            new TaskOutput(run.Metrics(Id)),
        ];

    bool IsImported(Recipe recipe) => !OnEveryone && recipe.Tam.Adapter is not null && !recipe.UsesBaseAsTam;

    bool OnEveryone => kind == TaskAdapterKind.Everyone;

    string AdapterOf(RunDirectory run) => OnEveryone ? run.TamAllAdapter : run.TamAdapter;

    internal override IReadOnlyList<string> GetRecipeKeys(Recipe recipe) => IsImported(recipe) ? [] : RecipeKeys;

    internal override IEnumerable<InputFile> ListImportedFiles(StageContext context) =>
        IsImported(context.Recipe) ? new ImportedAdapters(context.Workspace).ListTamFiles() : [];

    internal override string? ExplainUnused(Recipe recipe) =>
        !OnEveryone && recipe.UsesBaseAsTam
            ? "tam.adapter is none: the base model alone is the task-adaptive model, and there is nothing to train; "
                + "set tam.adapter=null to train one"
            : null;

    internal override void CheckInputs(RunPreflight preflight)
    {
        if (IsImported(preflight.Context.Recipe))
        {
            preflight.CheckModel();
            new ImportedAdapters(preflight.Context.Workspace).CheckTam();
        }
        else
        {
            preflight.CheckOthers(preflight.Context.Recipe.Tam.Lora);
        }
    }

    public override void Execute(StageContext context)
    {
        var workspace = context.Workspace;
        if (OnEveryone)
        {
            workspace.ReleaseTamAll();
        }
        else
        {
            workspace.ReleaseTam();
        }

        if (IsImported(context.Recipe))
        {
            new ImportedAdapters(context.Workspace).CopyTam();
            JsonLines.Write<StepMetrics>(context.Run.Metrics(Id), []);
            return;
        }

        var settings = context.Recipe.Tam;
        var examples = Examples(workspace, settings, context.Recipe.Seed);
        using var bank = AdapterBank
            .Create(
                workspace.TrainingModel,
                workspace.ResolveLora(settings.Lora),
                [SeedDerivation.Derive(context.Recipe.Seed, Name)]
            )
            .MoveTo(workspace.Device);
        var training = new StageTraining(
            context,
            Id,
            "tam",
            TrainingName,
            [TrainingName],
            new EarlierFigures(context.Run.Metrics(Id))
        );
        var trainingSet = HeldOutExamples.Split(TrainingName, examples, settings.EarlyStopping.Items);
        if (examples.Count < settings.Training.BatchSize)
        {
            context.Log.LogWarning(
                "{Stage}: {Examples} examples do not fill one batch of {Batch}",
                Name,
                examples.Count,
                settings.Training.BatchSize
            );
        }

        TrainingConclusion.ReportSingleSteps(
            context.Log,
            Id,
            settings.Training,
            new Dictionary<string, int> { [TrainingName] = trainingSet.Examples.Count }
        );
        try
        {
            var outcomes = SftTrainer.Train(
                training.CreateContext(workspace.TrainingModel, settings),
                bank,
                [trainingSet],
                progress: context.Progress,
                cancellation: context.Cancellation
            );
            training.Conclude(outcomes);
        }
        finally
        {
            training.Flush();
        }

        TrainingConclusion.Report(
            context.Log,
            Id,
            "tam.learning_rate",
            settings.Training.LearningRate,
            TrainingSummary.Read(context.Run, Id)
        );
        AtomicFile.WriteFolder(
            AdapterOf(context.Run),
            folder =>
            {
                AdapterFile.Write(folder, bank, 0, context.Recipe.Model);
                new AdapterCard(context.Recipe).Write(folder, context.Run.GetRelativePath(AdapterOf(context.Run)));
            }
        );
    }

    List<SupervisedExample> Examples(RunWorkspace workspace, TamSection settings, long seed)
    {
        var source = new ExampleEncoder(workspace, settings);
        var queries = workspace
            .Dataset.Others.SelectMany(user => user.Queries.Select(query => (User: user, Query: query)))
            .ToArray();
        if (queries.Length == 0)
        {
            throw new RunException(
                "the other users have no queries to train the task-adaptive model on: look at user_others.json"
            );
        }

        if (settings.Examples is { } most && most < queries.Length)
        {
            var shuffleSeed = unchecked((int)SeedDerivation.Derive(seed, "tam examples"));
            SeededRandom.Create(shuffleSeed).Shuffle(queries);
            queries = queries[..most];
        }

        var own = OnEveryone
            ? workspace.ListHistoryItems(null).Select(pair => source.Encode(pair.User, pair.Item))
            : [];
        return [.. queries.Select(pair => source.Encode(pair.User, pair.Query)), .. own];
    }
}
