using CoPe.Adapters;
using CoPe.Experiments.Runs.Recipes;
using Microsoft.Extensions.Logging;

namespace CoPe.Experiments.Runs.Stages;

/// <summary>
/// Trains the users' adapters of a stage, several at once, group after group, the longest histories first. A group
/// whose adapters all stand in the run's folder is done; an interrupted one
/// goes on from its checkpoint.
/// </summary>
/// <param name="context">The stage at work.</param>
/// <param name="stage">Its name.</param>
/// <param name="section">Section of the recipe that its numbers stand in.</param>
/// <param name="folderOf">Where a user's adapter belongs.</param>
sealed class UserGroupTrainer(StageContext context, string stage, string section, Func<string, string> folderOf)
{
    /// <summary>
    /// Trains what is not there yet. <paramref name="train"/> returns the trained bank of a group, which is written and
    /// disposed here.
    /// </summary>
    public void Train<T>(
        IReadOnlyList<UserExamples<T>> users,
        int usersAtOnce,
        TrainingSection settings,
        Func<IReadOnlyList<UserExamples<T>>, GroupTrainingContext, AdapterBank> train
    )
    {
        HistoryWarnings.Warn(context.Log, stage, users, settings.BatchSize);
        // Users with histories of like length finish together, so that no pass is left with a single one.
        var groups = users
            .OrderByDescending(user => user.Examples.Count)
            .ThenBy(user => user.Index)
            .Chunk(usersAtOnce)
            .ToList();
        var steps = groups
            .Select(group =>
                group.Sum(user =>
                    settings.Epochs * ((user.Examples.Count + settings.ExamplesPerStep - 1) / settings.ExamplesPerStep)
                )
            )
            .ToList();
        long done = 0;
        for (var i = 0; i < groups.Count; i++)
        {
            var progress = new GroupProgress(context.Progress, done, steps[i], steps.Skip(i + 1).Sum());
            done += steps[i];
            if (groups[i].All(user => Directory.Exists(folderOf(user.Id))))
            {
                continue;
            }

            var training = new StageTraining(context, stage, section, $"{usersAtOnce}-at-once-{i + 1}");
            try
            {
                using var bank = train(groups[i], new GroupTrainingContext(training, progress));
                for (var user = 0; user < groups[i].Length; user++)
                {
                    var index = user;
                    AtomicFile.WriteFolder(
                        folderOf(groups[i][user].Id),
                        folder => AdapterFile.Write(folder, bank, index, context.Recipe.Model)
                    );
                }
            }
            finally
            {
                training.Flush();
            }

            done += progress.Own - steps[i];
            training.Checkpoints.Clear();
        }
    }

    /// <summary>
    /// The trainer counts a group's steps, fewer than planned where a user stops early; people see the stage's.
    /// </summary>
    sealed class GroupProgress(IProgress<StageProgress> inner, long before, long planned, long after)
        : IProgress<StageProgress>
    {
        public long Own { get; private set; } = planned;

        public void Report(StageProgress value)
        {
            Own = value.Total;
            inner.Report(value with { Done = before + value.Done, Total = before + Own + after });
        }
    }
}

/// <summary>What the training of one group of users reports to.</summary>
/// <param name="Stage">Options, figures and checkpoints.</param>
/// <param name="Progress">Progress of the whole stage.</param>
sealed record GroupTrainingContext(StageTraining Stage, IProgress<StageProgress> Progress);

/// <summary>A user and what his adapter is trained on.</summary>
/// <param name="Id">The user.</param>
/// <param name="Index">His place in the dataset and in the banks of all users.</param>
/// <param name="Examples">What he learns from.</param>
/// <param name="Development">What he is measured by; none where training goes to the end anyway.</param>
sealed record UserExamples<T>(string Id, int Index, IReadOnlyList<T> Examples, IReadOnlyList<T> Development)
{
    /// <summary>With the last of his examples, but at most half of them, held out for early stopping.</summary>
    public static UserExamples<T> Split(string id, int index, IReadOnlyList<T> examples, EarlyStoppingSection stopping)
    {
        var learnt = examples.Count - Math.Min(stopping.Items, examples.Count / 2);
        return new(id, index, [.. examples.Take(learnt)], [.. examples.Skip(learnt)]);
    }
}

/// <summary>Says once a stage, not once a group, that histories are too small to learn much from.</summary>
static class HistoryWarnings
{
    const int MaxNamed = 5;

    /// <summary>Warns of users without an example, and of those with fewer than one batch.</summary>
    public static void Warn<T>(ILogger log, string stage, IReadOnlyList<UserExamples<T>> users, int batch)
    {
        var none = users.Where(user => user.Examples.Count == 0).Select(user => user.Id).ToList();
        var small = users.Where(user => user.Examples.Count > 0 && user.Examples.Count < batch).ToList();
        if (none.Count > 0)
        {
            log.LogWarning(
                "{Stage}: no example to learn from, so the adapter stays as it is: {Count} of {Users} users ({Names}{More})",
                stage,
                none.Count,
                users.Count,
                string.Join(", ", none.Take(MaxNamed)),
                none.Count > MaxNamed ? ", ..." : ""
            );
        }

        if (small.MinBy(user => user.Examples.Count) is not { } smallest)
        {
            return;
        }

        log.LogWarning(
            "{Stage}: histories are small: the examples of {Count} of {Users} users do not fill one batch of {Batch}; user {Smallest} has the fewest, {Examples}",
            stage,
            small.Count,
            users.Count,
            batch,
            smallest.Id,
            smallest.Examples.Count
        );
    }
}
