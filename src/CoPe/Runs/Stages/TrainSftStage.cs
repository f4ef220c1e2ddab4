using CoPe.Adapters;
using CoPe.Runs.Recipes;
using CoPe.Tokens;
using CoPe.Training;

namespace CoPe.Runs.Stages;

/// <summary>Stage 2: each user's adapter, trained on his own history on top of the task-adaptive model; several users share each pass.</summary>
sealed class TrainSftStage : Stage
{
    /// <inheritdoc/>
    public override string Name => "train sft";

    /// <inheritdoc/>
    public override IReadOnlyList<string> RecipeKeys => ["task", "seed", "users", "history_limit", "development_items", "model_dtype", "sft"];

    /// <inheritdoc/>
    public override StageFiles Reads => StageFiles.Model | StageFiles.Task | StageFiles.Users;

    /// <inheritdoc/>
    public override IEnumerable<string> Needs(Recipe recipe) => ["train tam"];

    /// <inheritdoc/>
    public override bool IsIn(Recipe recipe) => recipe.Methods().Any(method => method.UserAdapter != UserAdapterKind.None);

    /// <inheritdoc/>
    public override IEnumerable<string> Outputs(RunDirectory run) => [run.SftAdapters, run.Metrics(Name)];

    /// <inheritdoc/>
    public override void Execute(StageContext context)
    {
        var workspace = new RunWorkspace(context);
        workspace.Forget("adapters sft", "adapters dpo");
        var settings = context.Recipe.Sft;
        var source = new ExampleSource(workspace, settings);
        var users = workspace.Dataset.Users
            .Select((user, index) => UserTraining<SupervisedExample>.Of(user.Id, index, [.. user.Profile.Select(item => source.Example(user, item))], settings.EarlyStopping)).ToList();
        var usersAtOnce = settings.UsersAtOnce ?? TrainingMemory.UsersAtOnce(workspace.TrainingModel, settings,
            users.SelectMany(user => user.Examples).Average(example => example.Prompt.Count + example.Response.Count));
        new UserGroups(context, Name, "sft", context.Run.SftAdapter).Train(users, usersAtOnce, settings, (group, training) => Train(context, workspace, group, training));
    }

    AdapterBank Train(StageContext context, RunWorkspace workspace, IReadOnlyList<UserTraining<SupervisedExample>> group, GroupTraining training)
    {
        var settings = context.Recipe.Sft;
        var model = workspace.TrainingModel;
        var bank = AdapterBank.Create(model.Config, settings.Lora, [.. group.Select(user => SeedOf.Part(context.Recipe.Seed, Name, user.Id))]).MovedTo(workspace.Device);
        SftTrainer.Train(training.Stage.Run(model, workspace.Tam, bank, group, settings), training.Progress, context.Cancellation);
        return bank;
    }
}
