using CoPe.Experiments.Data;
using CoPe.Experiments.Data.Importing;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Runs;

/// <summary>A user to add to a run, or whose history is replaced.</summary>
sealed record UserChange
{
    /// <summary>Folder or file of their history; null where the data of the run hold it.</summary>
    public string? Source { get; init; }

    /// <summary>Their id; null takes that of the source.</summary>
    public string? Name { get; init; }

    /// <summary>How many of the latest texts become queries.</summary>
    public int Queries { get; init; }

    /// <summary>Whether the run must have the user already; otherwise it must not.</summary>
    public bool IsUpdate { get; init; }

    /// <summary>Whether the user may be one whom the run has forgotten.</summary>
    public bool TakesBack { get; init; }
}

/// <summary>A user who was added or updated.</summary>
/// <param name="User">Their id.</param>
/// <param name="Items">Items of their history.</param>
/// <param name="Queries">Their queries.</param>
/// <param name="Problems">What of the source was left out.</param>
sealed record UserChangeResult(string User, int Items, int Queries, IReadOnlyList<string> Problems);

/// <summary>
/// Adds a user to a run or replaces a user's history, and runs the stages for them. What is added lies in the run's own
/// folder; the data of the run stay as they are.
/// </summary>
/// <param name="pipeline">The stages.</param>
/// <param name="context">The run, under its lock.</param>
sealed class UserChanger(Pipeline pipeline, StageContext context)
{
    readonly RunDirectory _run = context.Run;

    /// <summary>Makes the change and runs what is due.</summary>
    /// <exception cref="RunException">The run cannot take the user; nothing was touched.</exception>
    public UserChangeResult Apply(UserChange change)
    {
        ArgumentNullException.ThrowIfNull(change);
        var before = RequireCurrent();
        var problems = new List<string>();
        var task = context.Workspace.Task;
        var user = change.Source is { } source
            ? UserHistory.Read(source, task, change.Name, error => problems.Add(error.Message))
            : null;
        var id = user?.Id ?? change.Name!;
        var known = before.FirstOrDefault(one => one.Id == id);
        RequireAdmissible(id, !change.IsUpdate && IsAddedAlready(user, known) ? null : known, before, change);
        if (user is not null)
        {
            user = PrepareQueries(user, known, change, problems);
        }

        var forgotten = File.Exists(_run.ForgottenUsers) ? File.ReadAllBytes(_run.ForgottenUsers) : null;
        var added = File.Exists(_run.AddedUser(id)) ? File.ReadAllBytes(_run.AddedUser(id)) : null;
        try
        {
            if (user is not null)
            {
                AddedUsers.Write(_run, user);
            }

            if (change.TakesBack)
            {
                ForgottenUsers.Read(_run).Without(id).Write(_run);
            }

            using var workspace = new RunWorkspace(context.Recipe, _run, context.Inputs, context.Log);
            var users = workspace.Dataset.Users;
            var taken =
                users.FirstOrDefault(one => one.Id == id)
                ?? throw new RunException(
                    user is null
                        ? $"the data of {_run.Name} do not hold user '{id}': name their texts with --history FOLDER"
                        : $"user '{id}' has one text, of which development_items={context.Recipe.DevelopmentItems} "
                            + "makes a query: add texts"
                );
            pipeline.Run(context with { Workspace = workspace });
            return new(id, taken.History.Count, taken.Queries.Count, problems);
        }
        catch
        {
            // The run is as it was before, and what is made so far is resumed by the same command.
            Restore(_run.AddedUser(id), added);
            Restore(_run.ForgottenUsers, forgotten);
            throw;
        }
    }

    /// <summary>The users of the run, whose stages must not be out of date for other reasons.</summary>
    IReadOnlyList<LampUser> RequireCurrent()
    {
        if (pipeline.GetStatus(context).FirstOrDefault(status => status.State == StageState.Stale) is { } stale)
        {
            throw new RunException(
                $"'{stale.Stage}' is out of date in {_run.Name} ({string.Join("; ", stale.Reasons)}): "
                    + $"run 'cope run --run {_run.Name}' first"
            );
        }

        return context.Workspace.Dataset.Users;
    }

    /// <summary>
    /// Whether a command that was killed has written the same user: its repetition goes on from there.
    /// </summary>
    bool IsAddedAlready(LampUser? user, LampUser? known) =>
        user is not null
        && known is not null
        && File.Exists(_run.AddedUser(user.Id))
        && pipeline.GetStatus(context).Any(status => status.State != StageState.Complete);

    void RequireAdmissible(string id, LampUser? known, IReadOnlyList<LampUser> users, UserChange change)
    {
        if (ForgottenUsers.Read(_run).Contains(id) != change.TakesBack)
        {
            throw new RunException(
                change.TakesBack
                    ? $"{_run.Name} has not forgotten '{id}': leave --take-back out"
                    : $"{_run.Name} has forgotten '{id}': with --take-back they are taken in again"
            );
        }

        if (change.IsUpdate == known is not null)
        {
            RequireNotPersonal(id, users);
            return;
        }

        throw new RunException(
            change.IsUpdate
                ? $"{_run.Name} has no user '{id}'{NearestName.Hint(id, users.Select(user => user.Id))}; "
                    + $"'cope user ls {_run.Name}' lists them, 'cope user add' adds one"
                : $"{_run.Name} has a user '{id}' already: 'cope user update' replaces their history, "
                    + "--name names another"
        );
    }

    /// <summary>
    /// The person of a run of 'cope personalize' has their texts in the run's data, which that verb writes.
    /// </summary>
    void RequireNotPersonal(string id, IReadOnlyList<LampUser> users)
    {
        var isDataInRun = Path.GetFullPath(context.Inputs.Data)
            .StartsWith(_run.Data + Path.DirectorySeparatorChar, StringComparison.Ordinal);
        if (!isDataInRun || File.Exists(_run.AddedUser(id)))
        {
            return;
        }

        var inData = users.Where(user => !File.Exists(_run.AddedUser(user.Id))).ToList();
        if (inData is [var only] && only.Id == id)
        {
            throw new RunException(
                $"'{id}' is the person whom {_run.Name} was made for: "
                    + $"'cope personalize --history FOLDER --run {_run.Name}' takes up their texts"
            );
        }
    }

    /// <summary>
    /// Makes the latest texts queries where that is asked for; otherwise an updated user keeps the queries they had,
    /// and no text that answers one of them is learned from.
    /// </summary>
    LampUser PrepareQueries(LampUser user, LampUser? known, UserChange change, List<string> problems)
    {
        if (change.Queries > 0)
        {
            if (change.Queries >= user.History.Count)
            {
                throw new RunException(
                    $"--queries {change.Queries} of {user.History.Count} texts leaves no history: "
                        + "name fewer, or add texts"
                );
            }

            var definition = new TaskDefinition(context.Workspace.Task, context.Workspace.Template);
            var split = UserSplit.SplitQueries(definition, user, change.Queries);
            return split with
            {
                Queries =
                [
                    .. split.Queries.Select(query => query with { Id = DevelopmentSplit.QueryIdOf(user.Id, query.Id) }),
                ],
            };
        }

        if (user.Queries.Count > 0 || known is null)
        {
            return user;
        }

        var output = context.Workspace.Task.OutputField;
        var golds = known.Queries.Select(query => query.Gold.Trim()).ToHashSet();
        var history = user.History.Where(item => !golds.Contains(item.Fields[output].Trim())).ToList();
        if (history.Count == 0)
        {
            throw new RunException(
                $"every text of '{user.Id}' answers one of their queries, and nothing is left to learn"
            );
        }

        if (history.Count < user.History.Count)
        {
            problems.Add(
                $"{user.History.Count - history.Count} texts answer queries of '{user.Id}' and are not learned"
            );
        }

        return user with
        {
            History = history,
            Queries = known.Queries,
        };
    }

    static void Restore(string path, byte[]? content)
    {
        if (content is null)
        {
            AtomicFile.Remove(path);
        }
        else
        {
            AtomicFile.WriteBytes(path, content);
        }
    }
}
