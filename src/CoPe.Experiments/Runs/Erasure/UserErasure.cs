using CoPe.Experiments.Data;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Runs.Erasure;

/// <summary>
/// Lists and erases everything in a run that is derived from a user: adapters, candidates, rejected answers, profiles,
/// answers, figures, checkpoints, results and report. Each stage says by its outputs what of a user it holds
/// (<see cref="StageOutput"/>). An interrupted erasure is finished by repeating it, with the same result as one that
/// was not interrupted (<see cref="ErasureJournal"/>).
/// </summary>
/// <param name="pipeline">The stages.</param>
/// <param name="context">
/// The run; for <see cref="Forget"/> under its lock. Its inputs may be missing: outputs that need them are then removed
/// instead of rebuilt.
/// </param>
public sealed class UserErasure(Pipeline pipeline, StageContext context)
{
    readonly RunDirectory _run = context.Run;
    readonly RunUsers _users = new(pipeline, context);
    readonly List<string> _removedStages = [];
    readonly SortedSet<string> _doubtful = new(StringComparer.Ordinal);

    RemainingTexts? _remaining;
    List<UserIdentity> _usersToErase = [];

    /// <summary>
    /// The run's users with what it holds of each; where the data are missing, the users that its files name, without
    /// history and queries.
    /// </summary>
    public IEnumerable<(LampUser User, IReadOnlyList<UserTrace> Traces)> List()
    {
        var forgotten = ForgottenUsers.Read(_run);
        foreach (var user in _users.List())
        {
            if (!forgotten.Contains(user.Id))
            {
                var identity = _users.Identify(user);
                yield return (user, FindTraces(identity));
            }
        }
    }

    /// <summary>What the run holds of a user.</summary>
    /// <exception cref="RunException">The run has no such user.</exception>
    public IReadOnlyList<UserTrace> Show(string id) => FindTraces(_users.Find(id));

    /// <summary>
    /// Erases a user from the runs of one folder, or from the folder's own run. Results and report are rebuilt without
    /// the user where the inputs for that exist, and otherwise removed.
    /// </summary>
    /// <param name="runs">The runs that hold the user.</param>
    /// <param name="folder">
    /// The folder. Averages over its child runs are removed, and runs that are added there will not read the user.
    /// </param>
    /// <param name="id">The user.</param>
    /// <param name="isDataToo">Erases the user from data folders outside the runs as well.</param>
    /// <returns>What each run held of the user.</returns>
    /// <exception cref="RunException">
    /// A run has no such user, the task-adaptive model was trained on them, or something in a run cannot be read: then
    /// nothing was changed. Or a file that no stage wrote holds a text of theirs: then the erasure is to be repeated.
    /// </exception>
    public static IReadOnlyList<IReadOnlyList<UserTrace>> Forget(
        IReadOnlyList<UserErasure> runs,
        RunDirectory folder,
        string id,
        bool isDataToo
    )
    {
        ArgumentNullException.ThrowIfNull(runs);
        ArgumentNullException.ThrowIfNull(folder);
        var traces = runs.Select(run => run.Prepare(id)).ToList();
        foreach (var run in runs)
        {
            run.RemoveFromRun(id);
        }

        var countedTowardLimit = folder.ChildRuns().Any(run => ForgottenUsers.Read(run).CountedTowardLimit(id));
        ForgottenUsers.Add(folder, id, countedTowardLimit);
        RemovedOutputs.RemoveAggregates(folder);
        // While the data still tell the texts, so that a repetition finds them as well.
        foreach (var run in runs)
        {
            run.ThrowIfTextRemains("no stage wrote it; check it, delete it, and repeat the command");
            run.FindDoubtful();
        }

        // The user is identified by the data, which are therefore changed after all runs; the data are an input of
        // every stage, so stages are rebuilt after the data have their final content.
        foreach (var run in runs)
        {
            run.RemoveFromData(id, isDataToo);
        }

        foreach (var run in runs)
        {
            run.RebuildStages();
        }

        foreach (var run in runs)
        {
            run.ThrowIfTextRemains("check it, and delete it");
        }

        return traces;
    }

    /// <summary>What in the run's folder could not be looked into, each with the reason.</summary>
    internal IReadOnlyCollection<string> NotSearched => _remaining?.NotSearched ?? [];

    /// <summary>What in the run's folder may be the user's and was left, each with the reason.</summary>
    internal IReadOnlyCollection<string> Doubtful => _doubtful;

    /// <summary>Stages that could not be rebuilt without the user and were removed, each with the reason.</summary>
    internal IReadOnlyList<string> RemovedStages => _removedStages;

    /// <summary>Whether the run's data or files have a user, or the user's erasure was interrupted.</summary>
    public bool ContainsUser(string id) => _users.Contains(id);

    /// <summary>Whether a data folder holds a test user.</summary>
    public bool IsInData(string id) => _users.IsInData(id);

    /// <summary>A data folder of the run that cannot be looked into; null where all can.</summary>
    internal string? MissingData => _users.Folders.Missing;

    IEnumerable<StageOutput> GetOutputs() => pipeline.Stages.SelectMany(stage => stage.GetUserOutputs(_run));

    List<UserTrace> FindTraces(UserIdentity user)
    {
        var traces = GetOutputs().SelectMany(output => output.FindTraces(user)).ToList();
        var checkpoints = CountFiles(_run.CheckpointsFolder);
        if (checkpoints > 0)
        {
            traces.Add(new(_run.CheckpointsFolder, "checkpoints of several users together", checkpoints));
        }

        var unfinished = CountFiles(_run.Unfinished.Root);
        if (unfinished > 0)
        {
            traces.Add(new(_run.Unfinished.Root, "the beginning of a rebuild, of several users", unfinished));
        }

        RunDirectory?[] runs = [_run, _run.ParentRun()];
        var aggregates = runs.OfType<RunDirectory>().SelectMany(run => run.AggregateFiles).Where(File.Exists);
        traces.AddRange(aggregates.Select(file => new UserTrace(file, DescribeAggregate(file), 1)));
        if (File.Exists(_run.AddedUser(user.Id)))
        {
            traces.Add(new(_run.AddedUser(user.Id), "the user's history and queries, as they were added", 1));
        }

        traces.AddRange(
            _users
                .Folders.Select(isElsewhereToo: false)
                .Where(data => data.KnownIds.Contains(user.Id))
                .Select(data => Path.Combine(data.Folder, LampFiles.UsersFile))
                .Select(file => new UserTrace(file, "the user's history and queries", 1))
        );
        return [.. traces.Select(trace => trace with { Path = GetPathInRun(trace.Path) })];
    }

    string GetPathInRun(string path)
    {
        var relative = RealPath.IsWithin(path, _run.Root)
            ? Path.GetRelativePath(RealPath.Resolve(_run.Root), RealPath.Resolve(path))
            : Path.GetRelativePath(_run.Root, path);
        return relative.Replace('\\', '/');
    }

    static int CountFiles(string folder) =>
        Directory.Exists(folder) ? FolderContents.List(folder).Count(entry => entry.Kind == FileKind.File) : 0;

    /// <summary>
    /// Finds the user, and opens everything that the erasure will read: what fails, fails before anything is changed.
    /// </summary>
    /// <returns>What the run holds of the user.</returns>
    List<UserTrace> Prepare(string id)
    {
        RunReplacement.RollBack(_run);
        DamagedMarkers.Refuse(_run, pipeline.Stages);
        if (Directory.Exists(_run.Blocks))
        {
            throw new RunException(
                $"{_run.Name} is made in blocks, which hold the user too: put them together with "
                    + $"'cope finish {_run.Name}' first"
            );
        }

        var user = _users.Find(id);
        var traces = FindTraces(user);
        _usersToErase = [user, .. _users.FindPartiallyErased().Where(other => other.Id != id)];
        _remaining = new(_run, _users.Folders, context.Cancellation);
        _remaining.RequireReadable();
        if (ErasureJournal.Read(_run) is null && _users.Data is not null)
        {
            _ = context.Workspace.Dataset;
        }

        return traces;
    }

    /// <summary>
    /// Removes the user from the run's files, and every user whose erasure was interrupted; stages that hold them
    /// inseparably are removed whole.
    /// </summary>
    void RemoveFromRun(string id)
    {
        var earlier = ErasureJournal.Read(_run);
        var inseparable = new InseparableStages(pipeline, context, _users).Find(_usersToErase, earlier);
        List<string> removed = [.. inseparable.Select(stage => stage.Name)];
        // The journal comes first, so that an interrupted erasure is neither undone by the next run nor, repeated,
        // takes the outputs of other users for stale.
        var complete = (earlier?.Complete ?? FindCompleteStages()).Except(removed);
        new ErasureJournal([.. complete], removed).Write(_run);
        ForgottenUsers.Add(_run, id, CountsTowardLimit(id));
        FileHashes.Remove(_run.FileHashes, _usersToErase.SelectMany(ListNames).ToHashSet());
        RemovedOutputs.RemoveStages(_run, inseparable); // While the lines still show that they hold the user.
        foreach (var path in ListTemporary().ToList())
        {
            AtomicFile.Remove(path);
        }

        foreach (var output in GetOutputs().OrderBy(output => output.NamesUsers).ToList())
        {
            _usersToErase.ForEach(output.RemoveUser);
        }

        RemovedOutputs.RemoveAggregates(_run);
        if (_run.ParentRun() is { } parent)
        {
            RemovedOutputs.RemoveAggregates(parent);
        }
    }

    /// <summary>Names of folders in which files of a user may lie.</summary>
    static IEnumerable<string> ListNames(UserIdentity user) =>
        [user.Id, RunDirectory.SafeName(user.Id), FormerUserNames.Create(user.Id)];

    /// <summary>What is unfinished, of several users together, and what a command that was killed left.</summary>
    IEnumerable<string> ListTemporary()
    {
        var ids = pipeline.Stages.Select(stage => stage.Id).ToList();
        return
        [
            _run.CheckpointsFolder,
            _run.Unfinished.Root,
            _run.Incoming,
            .. GetOutputs().SelectMany(output => output.ListTemporary()),
            .. _run
                .RecordFiles.Concat(ids.Select(_run.Marker))
                .Concat(ids.Select(_run.StartedMarker))
                .Concat(_usersToErase.Select(user => _run.AddedUser(user.Id)))
                .Select(AtomicFile.GetAside),
        ];
    }

    /// <summary>
    /// Complete stages, if only for some of the users, also those that the recipe does not use, such as the answers of
    /// a further method.
    /// </summary>
    IEnumerable<string> FindCompleteStages()
    {
        var ledger = new StageLedger(pipeline, context);
        return pipeline
            .Stages.Select(ledger.GetStatus)
            .Where(status => status.State is StageState.Complete or StageState.UsersChanged)
            .Select(status => status.Stage.Name);
    }

    /// <summary>Whether the user is among the first users to whom the recipe limits the run.</summary>
    bool CountsTowardLimit(string id)
    {
        if (context.Recipe.Users is not { } limit)
        {
            return false;
        }

        return _users.Data is null
            || ForgottenUsers.Read(_run).SelectRemaining(_users.Data.ReadUsers(), limit).Any(user => user.Id == id);
    }

    /// <summary>
    /// Removes the user from data inside the run's folder, with every user forgotten before; from a data folder
    /// elsewhere only on request.
    /// </summary>
    void RemoveFromData(string id, bool isElsewhereToo)
    {
        _usersToErase.ForEach(user => AddedUsers.Remove(_run, user.Id));
        var forgotten = ForgottenUsers.Read(_run);
        foreach (var data in _users.Folders.Select(isElsewhereToo))
        {
            data.RemoveTemporary();
            var isInRun = _users.Folders.IsInRun(data);
            var leaving = data.ReadUsers().Where(user => user.Id == id || (isInRun && forgotten.Contains(user.Id)));
            foreach (var user in leaving.ToList())
            {
                data.Remove(user);
            }
        }
    }

    string DescribeAggregate(string file) =>
        file == _run.TrainingChoice ? "rate and epochs chosen on the user's texts" : "means over users";

    /// <summary>
    /// Rebuilds what held all users together, and records the new inputs and output sizes of the stages that were
    /// complete; others are removed. With that the erasure is finished.
    /// </summary>
    void RebuildStages()
    {
        var complete = ErasureJournal.Read(_run)?.Complete ?? [];
        using var workspace = new RunWorkspace(context.Recipe, _run, context.Inputs, context.Log);
        var fresh = context with { Workspace = workspace };
        var ledger = new StageLedger(pipeline, fresh);
        var hasUsers = HasUsers(workspace);
        foreach (var stage in pipeline.Stages.Where(stage => File.Exists(_run.Marker(stage.Id))))
        {
            // Figures without the users who are still to be added are no figures of this run.
            bool IsCurrent() => !InseparableStages.HoldsFigures(stage, _run) || ledger.HasAllUsers(stage);
            var stays = complete.Contains(stage.Name) && CanStay(stage, hasUsers) && IsCurrent();
            if (stays && TryRebuild(stage, fresh))
            {
                ledger.RefreshMarker(stage);
            }
            else
            {
                RemovedOutputs.RemoveStages(_run, [stage]);
            }
        }

        foreach (var stage in pipeline.Stages)
        {
            ledger.RefreshStartedMarker(stage, hasUsers);
        }

        AtomicFile.Remove(_run.PendingErasure);
    }

    /// <summary>Whether users are left that stages could be of.</summary>
    bool HasUsers(RunWorkspace workspace)
    {
        try
        {
            return _users.Data is null || workspace.Dataset.Users.Count > 0;
        }
        catch (Exception error) when (error is RunException or DataFileException)
        {
            return false; // Nobody is left whom the recipe takes: with the user the data could be read.
        }
    }

    bool CanStay(Stage stage, bool hasUsers)
    {
        var hasInputs = (context.Inputs.Missing & stage.RebuildReads) == InputKinds.None;
        var hasContent = hasUsers || stage.Outputs(_run).All(output => !output.HoldsUsers);
        return hasInputs && hasContent && stage.Needs(context.Recipe).All(need => File.Exists(_run.Marker(need)));
    }

    /// <summary>
    /// Rebuilds what held all users together. Where what it is made from cannot be read as strictly as that takes, the
    /// erasure goes on without it.
    /// </summary>
    bool TryRebuild(Stage stage, StageContext fresh)
    {
        try
        {
            stage.RebuildWithoutUser(fresh);
            return true;
        }
        catch (Exception error) when (error is RunException or DataFileException or InvalidDataException)
        {
            _removedStages.Add($"'{stage.Name}' ({error.Message})");
            return false;
        }
    }

    void FindDoubtful() =>
        _doubtful.UnionWith(
            new DoubtfulFiles(pipeline, _run, _users.Folders, _remaining!, context.Cancellation).Find(_usersToErase)
        );

    void ThrowIfTextRemains(string advice) => _remaining!.ThrowIfAny(_usersToErase, advice);
}
