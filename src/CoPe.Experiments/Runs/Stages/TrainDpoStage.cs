using CoPe.Adapters;
using CoPe.Experiments.Data;
using CoPe.Experiments.Runs.Recipes;
using CoPe.Experiments.Tasks;
using CoPe.Training;

namespace CoPe.Experiments.Runs.Stages;

/// <summary>
/// Stage 4: each user's SFT adapter goes on with preference training, his own text against the least personal answer.
/// </summary>
sealed class TrainDpoStage : Stage
{
    /// <inheritdoc/>
    public override string Name => "train dpo";

    /// <inheritdoc/>
    public override IReadOnlyList<string> RecipeKeys =>
        ["task", "seed", "users", "history_limit", "development_items", "model_dtype", "dpo"];

    /// <inheritdoc/>
    public override InputKinds Reads => InputKinds.Model | InputKinds.Task | InputKinds.Users;

    /// <inheritdoc/>
    public override IEnumerable<string> Needs(Recipe recipe) => ["train tam", "train sft", "negatives select"];

    /// <inheritdoc/>
    public override bool IsUsedBy(Recipe recipe) =>
        recipe.Methods().Any(method => method.UserAdapter == UserAdapterKind.Dpo);

    /// <inheritdoc/>
    public override IEnumerable<StageOutput> Outputs(RunDirectory run) =>
        [
            new UserAdapters(run.DpoAdapters, "DPO") { Pairs = new UserLines(run.Pairs) },
            new UserLines(run.Metrics(Name)),
        ];

    /// <inheritdoc/>
    public override void Execute(StageContext context)
    {
        var workspace = new RunWorkspace(context);
        workspace.Release("adapters dpo");
        var settings = context.Recipe.Dpo;
        var users = Pairs(context, workspace, settings);
        var usersAtOnce =
            settings.UsersAtOnce
            ?? TrainingMemory.ChooseUsersAtOnce(
                workspace.TrainingModel,
                settings,
                users
                    .SelectMany(user => user.Examples)
                    .Select(pair => pair.Prompt.Count + pair.Chosen.Count + pair.Rejected.Count)
                    .DefaultIfEmpty(1)
                    .Average()
            );
        new UserGroupTrainer(context, Name, "dpo", context.Run.DpoAdapter).Train(
            users,
            usersAtOnce,
            settings,
            (group, training) => Train(context, workspace, group, training)
        );
    }

    static List<UserExamples<PreferenceExample>> Pairs(
        StageContext context,
        RunWorkspace workspace,
        DpoSection settings
    )
    {
        var pairs = JsonLines.Read<SelectedPair>(context.Run.Pairs).ToDictionary(pair => (pair.User, pair.Item));
        var source = new ExampleEncoder(workspace, settings);
        var dtype = PairReferenceLogProbs.GetDtypeName(workspace.TrainingModel);
        return
        [
            .. workspace.Dataset.Users.Select(
                (user, index) =>
                    UserExamples<PreferenceExample>.Split(
                        user.Id,
                        index,
                        [
                            .. user
                                .History.Where(item => pairs.ContainsKey((user.Id, item.Id)))
                                .Select(item => Example(user, item, pairs[(user.Id, item.Id)])),
                        ],
                        settings.EarlyStopping
                    )
            ),
        ];

        PreferenceExample Example(LampUser user, HistoryItem item, SelectedPair pair)
        {
            var example = source.Encode(user, item, pair.Rejected);
            // A user trained alone gets the same bits whoever else there is; what the selection computed of him, it
            // computed beside others.
            return settings.UsersAtOnce == 1
                ? example
                : example with
                {
                    Reference = pair.Reference?.Find(example, settings.Reference, dtype),
                };
        }
    }

    static AdapterBank Train(
        StageContext context,
        RunWorkspace workspace,
        IReadOnlyList<UserExamples<PreferenceExample>> group,
        GroupTrainingContext training
    )
    {
        var settings = context.Recipe.Dpo;
        var bank = workspace.CopyUserAdapters(UserAdapterKind.Sft, [.. group.Select(user => user.Index)]);
        var dpo = new DpoOptions
        {
            Beta = settings.Beta,
            Loss = settings.Loss,
            LabelSmoothing = settings.LabelSmoothing,
            RpoAlpha = settings.RpoAlpha ?? 0,
            Reference = settings.Reference,
        };
        DpoTrainer.Train(
            training.Stage.CreateContext(workspace.TrainingModel, workspace.Tam, bank, group, settings),
            dpo,
            training.Progress,
            context.Cancellation
        );
        return bank;
    }
}
