using CoPe.Adapters;
using CoPe.Runs.Recipes;

namespace CoPe.Runs.Stages;

/// <summary>
/// Trains the users' adapters of a stage, several at once, group after group, the longest histories first. A group whose adapters all stand in the run's folder is done; an interrupted one
/// goes on from its checkpoint.
/// </summary>
/// <param name="context">The stage at work.</param>
/// <param name="stage">Its name.</param>
/// <param name="folderOf">Where a user's adapter belongs.</param>
sealed class UserGroups(StageContext context, string stage, Func<string, string> folderOf)
{
    /// <summary>Trains what is not there yet. <paramref name="train"/> returns the trained bank of a group, which is written and disposed here.</summary>
    public void Train<T>(IReadOnlyList<UserTraining<T>> users, int usersAtOnce, OptimizationSettings settings, Func<IReadOnlyList<UserTraining<T>>, GroupTraining, AdapterBank> train)
    {
        // Users with histories of like length finish together, so that no pass is left with a single one.
        var groups = users.OrderByDescending(user => user.Examples.Count).ThenBy(user => user.Index).Chunk(usersAtOnce).ToList();
        var steps = groups.Select(group => group.Sum(user => settings.Epochs * ((user.Examples.Count + settings.ExamplesPerStep - 1) / settings.ExamplesPerStep))).ToList();
        for (var i = 0; i < groups.Count; i++)
        {
            if (groups[i].All(user => Directory.Exists(folderOf(user.Id)))) continue;
            var training = new StageTraining(context, stage, $"group-{i + 1}");
            var progress = new GroupProgress(context.Progress, steps.Take(i).Sum(), steps.Sum());
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

            training.Checkpoints.Clear();
        }
    }

    /// <summary>The trainer counts a group's steps; people see the stage's.</summary>
    sealed class GroupProgress(IProgress<StageProgress> inner, long before, long total) : IProgress<StageProgress>
    {
        public void Report(StageProgress value) => inner.Report(value with { Done = before + value.Done, Total = total });
    }
}
