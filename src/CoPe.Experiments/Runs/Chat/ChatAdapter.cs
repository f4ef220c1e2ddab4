namespace CoPe.Experiments.Runs.Chat;

/// <summary>The adapter with which a chat answers as a user.</summary>
/// <param name="Stage">The stage that trained it: <c>dpo</c> where there is one, else <c>sft</c>.</param>
/// <param name="Folder">Its folder.</param>
/// <param name="Trained">When it was written.</param>
public sealed record ChatAdapter(string Stage, string Folder, DateTimeOffset Trained)
{
    /// <summary>The newest adapter of a user.</summary>
    /// <exception cref="RunException">The run has none, or no task-adaptive model.</exception>
    public static ChatAdapter Find(StageContext context, string user)
    {
        ArgumentNullException.ThrowIfNull(context);
        var run = context.Run;
        (string Stage, string Folder)[] stages = [("dpo", run.DpoAdapter(user)), ("sft", run.SftAdapter(user))];
        var (stage, folder) = Array.Find(stages, one => Directory.Exists(one.Folder));
        if (folder is null)
        {
            var trained = TrainedUsers.List(run);
            throw new RunException(
                $"{run.Name} has no adapter of user '{user}'{NearestName.Hint(user, trained)} "
                    + $"(there are {string.Join(", ", trained.Take(10))}): name one of these, or train one"
            );
        }

        if (!context.Recipe.UsesBaseAsTam && !Directory.Exists(run.TamAdapter))
        {
            throw new RunException($"{run.Name} has no task-adaptive model: run 'cope run --run {run.Name}' first");
        }

        return new(stage, folder, Directory.GetLastWriteTimeUtc(folder));
    }
}
