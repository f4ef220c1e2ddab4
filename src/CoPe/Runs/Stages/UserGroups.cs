using CoPe.Adapters;
using CoPe.Runs.Recipes;

namespace CoPe.Runs.Stages;

/// <summary>
/// Trains the users' adapters of a stage, several at once, group after group, the longest histories first. A group whose adapters all stand in the run's folder is done; an interrupted one
/// goes on from its checkpoint.
/// </summary>
/// <param name="context">The stage at work.</param>
/// <param name="stage">Its name.</param>
/// <param name="section">Section of the recipe that its numbers stand in.</param>
/// <param name="folderOf">Where a user's adapter belongs.</param>
sealed class UserGroups(StageContext context, string stage, string section, Func<string, string> folderOf)
{
    /// <summary>Trains what is not there yet. <paramref name="train"/> returns the trained bank of a group, which is written and disposed here.</summary>
    public void Train<T>(IReadOnlyList<UserTraining<T>> users, int usersAtOnce, OptimizationSettings settings, Func<IReadOnlyList<UserTraining<T>>, GroupTraining, AdapterBank> train)
    {
        SmallHistories.Warn(context.Log, stage, users, settings.BatchSize);
        // Users with histories of like length finish together, so that no pass is left with a single one.
        var groups = users.OrderByDescending(user => user.Examples.Count).ThenBy(user => user.Index).Chunk(usersAtOnce).ToList();
        var steps = groups.Select(group => group.Sum(user => settings.Epochs * ((user.Examples.Count + settings.ExamplesPerStep - 1) / settings.ExamplesPerStep))).ToList();
        long done = 0;
        for (var i = 0; i < groups.Count; i++)
        {
            var progress = new GroupProgress(context.Progress, done, steps[i], steps.Skip(i + 1).Sum());
            done += steps[i];
            if (groups[i].All(user => Directory.Exists(folderOf(user.Id)))) continue;
            var training = new StageTraining(context, stage, section, $"{usersAtOnce}-at-once-{i + 1}");
            try
            {
                using var bank = train(groups[i], new GroupTraining(training, progress));
                for (var user = 0; user < groups[i].Length; user++)
                {
                    var index = user;
                    AtomicFile.WriteFolder(folderOf(groups[i][user].Id), folder => AdapterFile.Write(folder, bank, index, context.Recipe.Model));
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

    /// <summary>The trainer counts a group's steps, fewer than planned where a user stops early; people see the stage's.</summary>
    sealed class GroupProgress(IProgress<StageProgress> inner, long before, long planned, long after) : IProgress<StageProgress>
    {
        public long Own { get; private set; } = planned;

        public void Report(StageProgress value)
        {
            Own = value.Total;
            inner.Report(value with { Done = before + value.Done, Total = before + Own + after });
        }
    }
}
