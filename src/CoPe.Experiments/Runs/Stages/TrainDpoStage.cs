using CoPe.Adapters;
using CoPe.Experiments.Data;
using CoPe.Experiments.Runs.Recipes;
using CoPe.Experiments.Tasks;
using CoPe.Training;

namespace CoPe.Experiments.Runs.Stages;

/// <summary>
/// Stage 4: each user's SFT adapter continues with preference training, their own text against the least personal
/// answer.
/// </summary>
sealed class TrainDpoStage : Stage
{
    public override StageId Id => StageId.TrainDpo;

    public override IReadOnlyList<string> RecipeKeys =>
        ["task", "device", "seed", "users", "block_users", "history_limit", "development_items", "model_dtype", "dpo"];

    public override InputKinds Reads => InputKinds.Model | InputKinds.Wording | InputKinds.Users;

    internal override UserParts ReadsOfUser(Recipe recipe) => UserParts.History;

    public override IEnumerable<StageId> Needs(Recipe recipe) =>
        [.. StageId.FindTamStage(recipe), StageId.TrainSft, StageId.SelectNegatives];

    public override IEnumerable<StageOutput> Outputs(RunDirectory run) =>
        [new UserAdapters(run.DpoAdapters, "DPO") { Pairs = new UserLines(run.Pairs) }, new UserLines(run.Metrics(Id))];

    internal override void CheckInputs(RunPreflight preflight) => preflight.CheckHistories();

    public override void Execute(StageContext context)
    {
        var workspace = context.Workspace;
        var settings = context.Recipe.Dpo;
        var trainer = new UserGroupTrainer(context, Id, "dpo", context.Run.DpoAdapter);
        var selected = trainer.SelectUsers(workspace.Dataset.Users);
        if (selected.Count == 0)
        {
            return;
        }

        trainer.Train(
            selected,
            CreateExamples(context, workspace, settings),
            settings,
            settings.UsersAtOnce,
            (group, training) => Train(context, workspace, group, training)
        );
    }

    static UserExamples<PreferenceExample> CreateExamples(
        StageContext context,
        RunWorkspace workspace,
        DpoSection settings
    )
    {
        var pairs = JsonLines.Read(context.Run.Pairs, (SelectedPair pair) => (pair.User, pair.Item));
        var source = new ExampleEncoder(workspace, settings);
        var dtype = ModelLoader.GetDtypeName(workspace.TrainingModel);
        var heldOut = settings.EarlyStopping.Items;
        return new(
            user => HeldOutExamples.CountLearned(ListItems(user).Count(), heldOut),
            user => HeldOutExamples.Split(user.Id, [.. ListItems(user).Select(CreateExampleOf(user))], heldOut),
            pair => pair.Prompt.Count + pair.Chosen.Count + pair.Rejected.Count
        );

        IEnumerable<HistoryItem> ListItems(LampUser user) =>
            user.History.Where(item => pairs.ContainsKey((user.Id, item.Id)));

        Func<HistoryItem, PreferenceExample> CreateExampleOf(LampUser user) =>
            item => CreateExample(user, item, pairs[(user.Id, item.Id)]);

        PreferenceExample CreateExample(LampUser user, HistoryItem item, SelectedPair pair)
        {
            var example = source.Encode(user, item, pair.Rejected);
            if (settings.UsersAtOnce == 1)
            {
                // A user trained alone gets the same bits whoever else there is; the selection scored their pairs
                // beside those of others.
                return example;
            }
            return example with { Reference = pair.Reference?.Find(example, settings.Preference.Reference, dtype) };
        }
    }

    static TrainedGroup Train(
        StageContext context,
        RunWorkspace workspace,
        IReadOnlyList<UserTrainingSet<PreferenceExample>> group,
        GroupTrainingContext training
    )
    {
        var settings = context.Recipe.Dpo;
        List<string> users = [.. group.Select(user => user.Name)];
        var bank = workspace.ReadUserAdapters([UserAdapterKind.Sft], users);
        var dpo = settings.Preference;
        var outcomes = DpoTrainer.Train(
            training.Stage.CreateContext(workspace.TrainingModel, settings),
            bank,
            group,
            dpo,
            workspace.Tam,
            training.Progress,
            context.Cancellation
        );
        using var before = workspace.ReadUserAdapters([UserAdapterKind.Sft], users);
        return new(bank, outcomes) { Movements = AdapterDistance.ComputeRelative(before, bank) };
    }
}
