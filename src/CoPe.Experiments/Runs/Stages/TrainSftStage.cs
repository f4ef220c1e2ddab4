using CoPe.Adapters;
using CoPe.Experiments.Data;
using CoPe.Experiments.Runs.Recipes;
using CoPe.Experiments.Tasks;
using CoPe.Training;

namespace CoPe.Experiments.Runs.Stages;

/// <summary>
/// Stage 2: each user's adapter, trained on their own history on top of the task-adaptive model; several users share
/// each pass.
/// </summary>
sealed class TrainSftStage : Stage
{
    public override StageId Id => StageId.TrainSft;

    public override IReadOnlyList<string> RecipeKeys =>
        ["task", "device", "seed", "users", "block_users", "history_limit", "development_items", "model_dtype", "sft"];

    public override InputKinds Reads => InputKinds.Model | InputKinds.Wording | InputKinds.Users;

    internal override UserParts ReadsOfUser(Recipe recipe) =>
        recipe.UserAdapters is null ? UserParts.History : UserParts.Adapter;

    public override IEnumerable<StageId> Needs(Recipe recipe) => StageId.FindTamStage(recipe);

    public override IEnumerable<StageOutput> Outputs(RunDirectory run) =>
        [new UserAdapters(run.SftAdapters, "SFT"), new UserLines(run.Metrics(Id))];

    internal override IReadOnlyList<string> GetRecipeKeys(Recipe recipe) =>
        recipe.UserAdapters is null ? RecipeKeys : [];

    internal override void CheckInputs(RunPreflight preflight)
    {
        if (preflight.Context.Recipe.UserAdapters is not null)
        {
            preflight.CheckModel();
            new ImportedAdapters(preflight.Context.Workspace).CheckUsers();
            return;
        }

        preflight.CheckAdapter("sft", preflight.Context.Recipe.Sft.Lora);
        preflight.CheckHistories();
    }

    public override void Execute(StageContext context)
    {
        var workspace = context.Workspace;
        if (context.Recipe.UserAdapters is not null)
        {
            new ImportedAdapters(workspace).CopyUsers(context.Cancellation);
            JsonLines.Write<StepMetrics>(context.Run.Metrics(Id), []);
            return;
        }

        var settings = context.Recipe.Sft;
        var source = new ExampleEncoder(workspace, settings);
        var trainer = new UserGroupTrainer(context, Id, "sft", context.Run.SftAdapter);
        var heldOut = settings.EarlyStopping.Items;
        trainer.Train(
            trainer.SelectUsers(workspace.Dataset.Users),
            new UserExamples<SupervisedExample>(
                user => HeldOutExamples.CountLearned(user.History.Count, heldOut),
                user => HeldOutExamples.Split(user.Id, [.. user.History.Select(Encode(user))], heldOut),
                example => example.Prompt.Count + example.Response.Count
            ),
            settings,
            settings.UsersAtOnce,
            (group, training) => Train(context, workspace, group, training)
        );

        Func<HistoryItem, SupervisedExample> Encode(LampUser user) => item => source.Encode(user, item);
    }

    TrainedGroup Train(
        StageContext context,
        RunWorkspace workspace,
        IReadOnlyList<UserTrainingSet<SupervisedExample>> group,
        GroupTrainingContext training
    )
    {
        var settings = context.Recipe.Sft;
        var model = workspace.TrainingModel;
        var bank = AdapterBank
            .Create(
                model,
                workspace.ResolveLora(settings.Lora),
                [.. group.Select(user => SeedDerivation.Derive(context.Recipe.Seed, Name, user.Name))],
                below: workspace.Tam
            )
            .MoveTo(workspace.Device);
        var outcomes = SftTrainer.Train(
            training.Stage.CreateContext(model, settings),
            bank,
            group,
            workspace.Tam,
            training.Progress,
            context.Cancellation
        );
        return new(bank, outcomes);
    }
}
