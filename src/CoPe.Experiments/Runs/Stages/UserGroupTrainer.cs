using CoPe.Adapters;
using CoPe.Experiments.Data;
using CoPe.Experiments.Runs.Recipes;
using CoPe.Training;
using Microsoft.Extensions.Logging;

namespace CoPe.Experiments.Runs.Stages;

/// <summary>
/// Trains the users' adapters of a stage, several at once, group after group. A group whose adapters all stand in the
/// run's folder is done; an interrupted one resumes from its checkpoint.
/// </summary>
/// <param name="context">The running stage.</param>
/// <param name="stage">Its name.</param>
/// <param name="section">Section of the recipe that its options stand in.</param>
/// <param name="getAdapterFolder">Where a user's adapter belongs.</param>
sealed class UserGroupTrainer(
    StageContext context,
    StageId stage,
    string section,
    Func<string, string> getAdapterFolder
)
{
    /// <summary>The users to train, in the order of the dataset: none whose adapter was there before.</summary>
    public IReadOnlyList<LampUser> SelectUsers(IReadOnlyList<LampUser> users) =>
        UserGroupPlan.SelectUsers(
            context.Run.Checkpoints(stage),
            users,
            user => Directory.Exists(getAdapterFolder(user))
        );

    /// <summary>Trains what is not there yet.</summary>
    /// <param name="users">The selected users, in the order of the dataset.</param>
    /// <param name="examples">What each of them learns from.</param>
    /// <param name="settings">The stage's section of the recipe.</param>
    /// <param name="usersAtOnce">Users of a group where the recipe says so; null chooses.</param>
    /// <param name="train">Returns the trained adapters of a group, which are written and disposed of here.</param>
    /// <exception cref="RunException">The training of every user diverged.</exception>
    public void Train<TExample>(
        IReadOnlyList<LampUser> users,
        UserExamples<TExample> examples,
        TrainingSection settings,
        int? usersAtOnce,
        Func<IReadOnlyList<UserTrainingSet<TExample>>, GroupTrainingContext, TrainedGroup> train
    )
    {
        if (users.Count == 0)
        {
            return;
        }

        var counts = users.ToDictionary(user => user.Id, examples.Count);
        HistoryWarnings.Warn(context.Log, stage.Name, counts, settings.Training.BatchSize);
        TrainingConclusion.ReportSingleSteps(context.Log, stage, settings.Training, counts);
        var byId = users.ToDictionary(user => user.Id);
        var plan = UserGroupPlan.ReadOrCreate(
            context.Run.Checkpoints(stage),
            [.. context.Workspace.Blocks.Split(users.Select(user => user.Id), id => id).Select(SortByLength)],
            usersAtOnce,
            block => ChooseUsersAtOnce(block.Select(user => byId[user]))
        );
        var groups = plan.Groups.Select(group => group.Select(user => byId[user]).ToList()).ToList();
        var plannedSteps = groups.Select(group => group.Sum(user => settings.Training.Steps(counts[user.Id]))).ToList();
        var earlier = new EarlierFigures(context.Run.Metrics(stage));
        long stepsDone = 0;
        for (var i = 0; i < groups.Count; i++)
        {
            var progress = new GroupProgress(
                context.Progress,
                stepsDone,
                plannedSteps[i],
                plannedSteps.Skip(i + 1).Sum()
            );
            if (!groups[i].All(user => Directory.Exists(getAdapterFolder(user.Id))))
            {
                List<UserTrainingSet<TExample>> group = [.. groups[i].Select(examples.Encode)];
                var name = UserGroupPlan.GetGroupName(i);
                var training = new StageTraining(context, stage, section, name, [.. plan.Groups[i]], earlier);
                TrainGroup(group, training, progress, train);
            }
            stepsDone += progress.GroupSteps;
        }
        TrainingConclusion.Report(
            context.Log,
            stage,
            $"{section}.learning_rate",
            settings.Training.LearningRate,
            [.. TrainingSummary.Read(context.Run, stage).Where(user => counts.ContainsKey(user.User))],
            isEveryone: users.Count == context.Workspace.Dataset.Users.Count
        );

        // Users with histories of similar length finish together, so that no pass is left with a single one.
        List<string> SortByLength(IReadOnlyList<string> block) => [.. block.OrderByDescending(user => counts[user])];

        int ChooseUsersAtOnce(IEnumerable<LampUser> block) =>
            TrainingMemory.ChooseUsersAtOnce(
                context.Workspace.TrainingModel,
                context.Workspace.ChooseTokensPerPass(settings),
                settings.Training.BatchSize,
                block.SelectMany(user => examples.Encode(user).Examples).Select(examples.CountTokens)
            );
    }

    void TrainGroup<TExample>(
        List<UserTrainingSet<TExample>> group,
        StageTraining training,
        GroupProgress progress,
        Func<IReadOnlyList<UserTrainingSet<TExample>>, GroupTrainingContext, TrainedGroup> train
    )
    {
        try
        {
            using var trained = train(group, new GroupTrainingContext(training, progress));
            training.Conclude(trained.Outcomes, trained.Movements);
            foreach (var (index, user) in group.Index())
            {
                AtomicFile.WriteFolder(
                    getAdapterFolder(user.Name),
                    folder => Write(folder, trained.Adapters, index, getAdapterFolder(user.Name))
                );
            }
        }
        finally
        {
            training.Flush();
        }
        training.Checkpoints.Clear();
    }

    void Write(string folder, AdapterBank bank, int index, string place)
    {
        AdapterFile.Write(folder, bank, index, context.Recipe.Model);
        new AdapterCard(context.Recipe).Write(folder, context.Run.GetRelativePath(place));
    }

    /// <summary>
    /// The trainer counts a group's steps, fewer than planned where a user stops early; people see the stage's.
    /// </summary>
    sealed class GroupProgress(IProgress<StageProgress> inner, long before, long planned, long after)
        : IProgress<StageProgress>
    {
        public long GroupSteps { get; private set; } = planned;

        public void Report(StageProgress value)
        {
            GroupSteps = value.Total;
            inner.Report(value with { Done = before + value.Done, Total = before + GroupSteps + after });
        }
    }
}

/// <summary>What users learn from, in ids for as long as their group trains.</summary>
/// <param name="Count">How many examples a user learns from, those held out not counted.</param>
/// <param name="Encode">The examples of a user.</param>
/// <param name="CountTokens">Tokens of an example.</param>
sealed record UserExamples<TExample>(
    Func<LampUser, int> Count,
    Func<LampUser, UserTrainingSet<TExample>> Encode,
    Func<TExample, int> CountTokens
);

/// <summary>What the training of one group of users reports to.</summary>
/// <param name="Stage">Options, figures and checkpoints.</param>
/// <param name="Progress">Progress of the whole stage.</param>
sealed record GroupTrainingContext(StageTraining Stage, IProgress<StageProgress> Progress);

/// <summary>What came of the training of one group of users. Owns the adapters.</summary>
/// <param name="Adapters">The trained adapters, in the order of the group.</param>
/// <param name="Outcomes">What became of each user, in the same order.</param>
sealed record TrainedGroup(AdapterBank Adapters, IReadOnlyList<TrainingOutcome> Outcomes) : IDisposable
{
    /// <summary>How far each adapter moved (<see cref="AdapterDistance"/>); null where that is not measured.</summary>
    public IReadOnlyList<double?>? Movements { get; init; }

    public void Dispose() => Adapters.Dispose();
}

/// <summary>Divides a user's examples into those learned from and those measured by.</summary>
static class HeldOutExamples
{
    /// <summary>The last of a user's examples, but at most half of them, are held out for early stopping.</summary>
    /// <param name="user">The user.</param>
    /// <param name="examples">The examples, oldest first.</param>
    /// <param name="heldOut">How many to hold out; 0 trains on all.</param>
    public static UserTrainingSet<TExample> Split<TExample>(string user, IReadOnlyList<TExample> examples, int heldOut)
    {
        var learned = CountLearned(examples.Count, heldOut);
        return new(user, [.. examples.Take(learned)]) { Development = [.. examples.Skip(learned)] };
    }

    /// <summary>How many of a user's examples are learned from.</summary>
    public static int CountLearned(int examples, int heldOut) => examples - Math.Min(heldOut, examples / 2);
}

/// <summary>Warns once a stage, not once a group, that histories are too small to learn much from.</summary>
static class HistoryWarnings
{
    const int MaxNamed = 5;

    /// <summary>Warns of users without an example, and of those with fewer than one batch.</summary>
    /// <param name="log">Where it goes.</param>
    /// <param name="stage">The stage.</param>
    /// <param name="examples">Examples of each user.</param>
    /// <param name="batchSize">Examples of a batch.</param>
    public static void Warn(ILogger log, string stage, IReadOnlyDictionary<string, int> examples, int batchSize)
    {
        var none = examples.Where(user => user.Value == 0).Select(user => user.Key).ToList();
        if (none.Count > 0)
        {
            log.LogWarning(
                "{Stage}: no example to learn from, so the adapter stays as it is: "
                    + "{Count} of {Users} users ({Names}{More})",
                stage,
                none.Count,
                examples.Count,
                string.Join(", ", none.Take(MaxNamed)),
                none.Count > MaxNamed ? ", ..." : ""
            );
        }

        var small = examples.Where(user => user.Value > 0 && user.Value < batchSize).ToList();
        if (small.Count == 0)
        {
            return;
        }

        var smallest = small.MinBy(user => user.Value);
        log.LogWarning(
            "{Stage}: histories are small: the examples of {Count} of {Users} users do not fill one batch of {Batch}; "
                + "user {Smallest} has the fewest, {Examples}",
            stage,
            small.Count,
            examples.Count,
            batchSize,
            smallest.Key,
            smallest.Value
        );
    }
}
