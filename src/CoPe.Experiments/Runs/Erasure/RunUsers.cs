using CoPe.Experiments.Data;

namespace CoPe.Experiments.Runs.Erasure;

/// <summary>Who is in a run: by its data, and by its files where the data no longer say so.</summary>
sealed class RunUsers(Pipeline pipeline, StageContext context)
{
    readonly RunDirectory _run = context.Run;

    /// <summary>The data folders.</summary>
    public RunDataFolders Folders { get; } = new(context);

    /// <summary>The data that say who the users are; null where their folder is missing.</summary>
    public UserDataFiles? Data => Folders.Main ?? Folders.InRun;

    /// <summary>
    /// The users of the data; where these are missing, those that the run's files name, without history and queries.
    /// </summary>
    public IEnumerable<LampUser> List() => Data is null ? FindUsersWithoutData() : ReadData();

    /// <summary>Who one of the users listed is.</summary>
    public UserIdentity Identify(LampUser user) => Data is null ? Find(user.Id) : new UserIdentity(user, Data.Task);

    /// <summary>Whether the data or the run's files have a user, or the user's erasure was interrupted.</summary>
    public bool Contains(string id) =>
        ReadData().Any(user => user.Id == id) || FindInFiles(id) is not null || IsPartiallyErased(id);

    /// <summary>Whether the data hold a test user.</summary>
    public bool IsInData(string id) =>
        Folders.Select(isElsewhereToo: true).Any(data => data.ReadUsers().Any(user => user.Id == id));

    /// <summary>The test users of the data with those added to the run; none where the data are missing.</summary>
    public IEnumerable<LampUser> ReadData() =>
        Data is null ? []
        : Directory.Exists(_run.AddedUsers) ? AddedUsers.Merge([.. Data.ReadUsers()], _run, Data.Task)
        : Data.ReadUsers();

    IEnumerable<LampUser> FindUsersWithoutData() =>
        UserRecords
            .FindNamedUsers(_run)
            .Select(line => line.User)
            .Distinct()
            .Select(id => new LampUser
            {
                Id = id,
                History = [],
                Queries = [],
            });

    /// <summary>Who a user of the run is.</summary>
    /// <exception cref="RunException">The run has no such user.</exception>
    public UserIdentity Find(string id)
    {
        if (ReadData().FirstOrDefault(user => user.Id == id) is { } user)
        {
            return new(user, Data!.Task);
        }

        if (Data?.IsOtherUser(id) == true)
        {
            throw new RunException(
                $"user {id} is no test user of {_run.Name}: the task-adaptive model was trained on their queries and "
                    + $"cannot unlearn them; remove the user from {LampFiles.OthersFile} and train a new run"
            );
        }

        if (FindInFiles(id) is { } identity)
        {
            return identity;
        }

        if (IsPartiallyErased(id))
        {
            return new(id, [], []);
        }

        throw new RunException(
            $"{_run.Name} has no user '{id}'{NearestName.Hint(id, ReadData().Select(one => one.Id))}; "
                + $"'cope user ls {_run.Name}' lists them"
        );
    }

    /// <summary>
    /// A user who is no longer in the data, by the run's files; null where these hold nothing of them.
    /// </summary>
    UserIdentity? FindInFiles(string id)
    {
        var lines = UserRecords.FindNamedUsers(_run).Where(line => line.User == id).ToList();
        var hasAdapter = GetOutputs().OfType<UserAdapters>().Any(output => Directory.Exists(output.GetFolder(id)));
        if (lines.Count == 0 && !hasAdapter)
        {
            return null;
        }

        var queries = lines.Select(line => line.Query).OfType<string>();
        return new(id, queries.Concat(FindUnattributedQueries()), []);
    }

    /// <summary>Queries with predictions that cannot be attributed to a user.</summary>
    public IEnumerable<string> FindUnattributedQueries()
    {
        var answered = GetOutputs().OfType<UserPredictions>().SelectMany(output => output.ReadQueryIds());
        var attributed = Data is null
            ? UserRecords.FindNamedUsers(_run).Select(line => line.Query).OfType<string>()
            : ReadData().SelectMany(UserIdentity.GetQueryIds);
        return answered.Except(attributed);
    }

    bool IsPartiallyErased(string id) => File.Exists(_run.PendingErasure) && ForgottenUsers.Read(_run).Contains(id);

    /// <summary>Users whose interrupted erasure left parts of them in the run.</summary>
    public IEnumerable<UserIdentity> FindPartiallyErased()
    {
        if (!File.Exists(_run.PendingErasure))
        {
            return [];
        }

        var forgotten = ForgottenUsers.Read(_run);
        var named = UserRecords.FindNamedUsers(_run).Select(line => line.User);
        return ReadData().Select(user => user.Id).Concat(named).Distinct().Where(forgotten.Contains).Select(Find);
    }

    IEnumerable<StageOutput> GetOutputs() => pipeline.Stages.SelectMany(stage => stage.GetUserOutputs(_run));
}
