using CoPe.Adapters;
using CoPe.Experiments.Runs.Recipes;
using CoPe.Training;

namespace CoPe.Experiments.Runs.Stages;

/// <summary>
/// Stage 2: each user's adapter, trained on their own history on top of the task-adaptive model; several users share each
/// pass.
/// </summary>
sealed class TrainSftStage : Stage
{
    /// <inheritdoc/>
    public override string Name => "train sft";

    /// <inheritdoc/>
    public override IReadOnlyList<string> RecipeKeys =>
        ["task", "seed", "users", "history_limit", "development_items", "model_dtype", "sft"];

    /// <inheritdoc/>
    public override InputKinds Reads => InputKinds.Model | InputKinds.Task | InputKinds.Users;

    /// <inheritdoc/>
    public override IEnumerable<string> Needs(Recipe recipe) => ["train tam"];

    /// <inheritdoc/>
    public override bool IsUsedBy(Recipe recipe) =>
        recipe.Methods().Any(method => method.UserAdapter != UserAdapterKind.None);

    /// <inheritdoc/>
    public override IEnumerable<StageOutput> Outputs(RunDirectory run) =>
        [new UserAdapters(run.SftAdapters, "SFT"), new UserLines(run.Metrics(Name))];

    /// <inheritdoc/>
    public override void Execute(StageContext context)
    {
        var workspace = new RunWorkspace(context);
        workspace.Release("adapters sft", "adapters dpo");
        var settings = context.Recipe.Sft;
        var source = new ExampleEncoder(workspace, settings);
        var users = workspace
            .Dataset.Users.Select(user =>
                HeldOutExamples.Split<SupervisedExample>(
                    user.Id,
                    [.. user.History.Select(item => source.Encode(user, item))],
                    settings.EarlyStopping.Items
                )
            )
            .ToList();
        var lengths = users
            .SelectMany(user => user.Examples)
            .Select(example => example.Prompt.Count + example.Response.Count);
        new UserGroupTrainer(context, Name, "sft", context.Run.SftAdapter).Train(
            users,
            settings,
            settings.UsersAtOnce,
            () => TrainingMemory.ChooseUsersAtOnce(workspace.TrainingModel, settings, lengths),
            (group, training) => Train(context, workspace, group, training)
        );
    }

    AdapterBank Train(
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
                model.Config,
                settings.Lora,
                [.. group.Select(user => SeedDerivation.Derive(context.Recipe.Seed, Name, user.Name))]
            )
            .MoveTo(workspace.Device);
        SftTrainer.Train(
            training.Stage.CreateContext(model, settings),
            bank,
            group,
            workspace.Tam,
            training.Progress,
            context.Cancellation
        );
        return bank;
    }
}
