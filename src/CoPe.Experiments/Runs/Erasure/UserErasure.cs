using CoPe.Experiments.Data;
using CoPe.Experiments.Runs.Stages;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Runs.Erasure;

/// <summary>
/// Lists and erases everything in a run that is derived from a user: adapters, candidates, rejected answers,
/// descriptions, answers, figures, checkpoints, results and report.
/// An erasure that was interrupted ends, repeated, as one that was not: see <see cref="ErasureJournal"/>.
/// </summary>
/// <param name="pipeline">The stages.</param>
/// <param name="context">
/// The run; for <see cref="Forget"/> under its lock. Its inputs may be gone: what they are needed for is then removed,
/// not made anew.
/// </param>
public sealed class UserErasure(Pipeline pipeline, StageContext context)
{
    readonly RunDirectory _run = context.Run;

    /// <summary>The data; null where their folder is gone.</summary>
    readonly UserDataFiles? _data = context.Inputs.Missing.HasFlag(InputFiles.Data)
        ? null
        : new(context.Inputs.Data, TaskFile.Read(context.Inputs.TaskPath).Task);

    /// <summary>Who leaves the run in this erasure.</summary>
    List<UserIdentity> _usersToErase = [];

    string[] ResultFiles =>
        [_run.Results, _run.ResultsTable, _run.Significance, _run.SignificanceTable, _run.UserResultsTable];

    bool IsDataInRun =>
        Path.GetFullPath(context.Inputs.Data)
            .StartsWith(_run.Root + Path.DirectorySeparatorChar, StringComparison.Ordinal);

    /// <summary>
    /// The run's users with what there is of each; where the data are gone, those whom its files name, without history
    /// and queries.
    /// </summary>
    public IEnumerable<(LampUser User, IReadOnlyList<UserTrace> Traces)> List()
    {
        var forgotten = ForgottenUsers.Read(_run);
        var users = _data is not null
            ? _data.ReadUsers()
            : UserRecords
                .FindNamedUsers(_run)
                .Select(line => line.User)
                .Distinct()
                .Select(id => new LampUser
                {
                    Id = id,
                    History = [],
                    Queries = [],
                });
        return users
            .Where(user => !forgotten.Contains(user.Id))
            .Select(user =>
                (
                    user,
                    (IReadOnlyList<UserTrace>)FindTraces(_data is not null ? new(user, _data.Task) : FindUser(user.Id))
                )
            );
    }

    /// <summary>What there is of a user.</summary>
    /// <exception cref="RunException">The run has no such user.</exception>
    public IReadOnlyList<UserTrace> Show(string id) => FindTraces(FindUser(id));

    /// <summary>
    /// Erases a user from runs that lie in one folder, or from that run itself; results and report are made anew
    /// without him where everything for them is there, otherwise removed.
    /// </summary>
    /// <param name="runs">Those of the runs that know him.</param>
    /// <param name="folder">
    /// The folder: what runs within it came to together goes too, and runs that are added there will not take him up.
    /// </param>
    /// <param name="id">The user.</param>
    /// <param name="isDataToo">Erases him from data folders outside the runs as well.</param>
    /// <returns>What there was in each run.</returns>
    /// <exception cref="RunException">
    /// A run has no such user, he trained the task-adaptive model, or a file still holds a text of his.
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
        // The data when every run has let him go, for by them he is known; the stages when the data are as they stay,
        // for they are an input of each.
        var traces = runs.Select(run => run.RemoveFromRun(id)).ToList();
        ForgottenUsers.Add(
            folder,
            id,
            folder.ChildRuns().Any(within => ForgottenUsers.Read(within).CountedTowardLimit(id))
        );
        RemoveAggregates(folder);
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
            run.ThrowIfTextRemains();
        }

        return traces;
    }

    /// <summary>Whether the run's data or its files know a user, or he is being erased from it.</summary>
    public bool ContainsUser(string id) => IsInData(id) || FindInFiles(id) is not null || IsPartiallyErased(id);

    /// <summary>Whether the data folder holds a test user.</summary>
    public bool IsInData(string id) => ReadUsers().Any(user => user.Id == id);

    IEnumerable<LampUser> ReadUsers() => _data?.ReadUsers() ?? [];

    bool IsPartiallyErased(string id) => File.Exists(_run.PendingErasure) && ForgottenUsers.Read(_run).Contains(id);

    UserIdentity? FindInFiles(string id) => UserIdentity.FindInRun(_run, id, FindUnattributedQueries());

    /// <summary>Queries with answers of which it is not known whose they are.</summary>
    IEnumerable<string> FindUnattributedQueries() =>
        UserRecords
            .FindAnsweredQueries(_run)
            .Except(
                _data is not null
                    ? _data.ReadUsers().SelectMany(UserIdentity.GetQueryIds)
                    : UserRecords.FindNamedUsers(_run).Select(line => line.Query).OfType<string>()
            );

    UserIdentity FindUser(string id)
    {
        if (ReadUsers().FirstOrDefault(user => user.Id == id) is { } user)
        {
            return new(user, _data!.Task);
        }

        if (_data?.IsOtherUser(id) == true)
        {
            throw new RunException(
                $"user {id} is no test user of {_run.Name}: his queries are part of the task-adaptive model, which cannot give them back; take him out of {LampFiles.OthersFile} and train a new run"
            );
        }

        if (FindInFiles(id) is { } left)
        {
            return left;
        }

        if (IsPartiallyErased(id))
        {
            return UserIdentity.FromId(id);
        }

        throw new RunException(
            $"{_run.Name} has no user '{id}'{NearestName.Hint(id, ReadUsers().Select(one => one.Id))}; 'cope user ls {_run.Name}' lists them"
        );
    }

    /// <summary>Users whom an interrupted erasure left in the run in part.</summary>
    IEnumerable<UserIdentity> FindPartiallyErased()
    {
        if (!File.Exists(_run.PendingErasure))
        {
            return [];
        }

        var forgotten = ForgottenUsers.Read(_run);
        return ReadUsers()
            .Select(user => user.Id)
            .Concat(UserRecords.FindNamedUsers(_run).Select(line => line.User))
            .Distinct()
            .Where(forgotten.Contains)
            .Select(FindUser);
    }

    List<UserTrace> FindTraces(UserIdentity user)
    {
        var traces = new List<UserTrace>();
        void Add(string path, string what, int count) =>
            traces.Add(new(Path.GetRelativePath(_run.Root, path).Replace('\\', '/'), what, count));
        foreach (
            var (folder, what) in new[]
            {
                (_run.SftAdapter(user.Id), "his SFT adapter"),
                (_run.DpoAdapter(user.Id), "his DPO adapter"),
            }
        )
        {
            if (Directory.Exists(folder))
            {
                Add(folder, what, Directory.EnumerateFiles(folder).Count());
            }
        }

        var lines = new UserRecords(_run, user);
        foreach (var (file, count) in lines.CountLines())
        {
            Add(file, "lines of his, or that hold a text of his", count);
        }

        foreach (var (file, count) in lines.CountAnswers())
        {
            Add(file, "answers to his queries", count);
        }

        if (
            Directory.Exists(_run.CheckpointsFolder)
            && Directory.EnumerateFiles(_run.CheckpointsFolder, "*", SearchOption.AllDirectories).Count()
                is > 0
                    and var saved
        )
        {
            Add(_run.CheckpointsFolder, "checkpoints of several users together", saved);
        }

        if (Directory.Exists(_run.TamAllAdapter))
        {
            Add(_run.TamAllAdapter, "an adapter trained on everyone", 1);
        }

        if (lines.IsUsedAsRejectedAnswer())
        {
            Add(_run.DpoAdapters, "adapters of others, trained with a text of his as a rejected answer", 1);
        }

        foreach (
            var (file, what) in ((string, string)[])
                [
                    .. ResultFiles.Select(file => (file, "figures that he is part of")),
                    (_run.Report, "texts and figures of users"),
                    .. new[] { _run, _run.ParentRun() }
                        .OfType<RunDirectory>()
                        .SelectMany(AggregateFiles)
                        .Select(file => (file, "means over users")),
                ]
        )
        {
            if (File.Exists(file))
            {
                Add(file, what, 1);
            }
        }

        if (IsDataInRun && _data is not null)
        {
            Add(Path.Combine(context.Inputs.Data, LampFiles.UsersFile), "his history and queries", 1);
        }

        return traces;
    }

    /// <summary>
    /// Takes him out of the run's files, and whoever an interrupted erasure left; stages that hold them go. Returns
    /// what there was of him.
    /// </summary>
    List<UserTrace> RemoveFromRun(string id)
    {
        var user = FindUser(id);
        var traces = FindTraces(user);
        _usersToErase = [user, .. FindPartiallyErased().Where(other => other.Id != id)];
        var tainted = _usersToErase
            .SelectMany(FindStagesTrainedOn)
            .Concat(_data is null && FindUnattributedQueries().Any() ? pipeline.Stages.OfType<PredictStage>() : [])
            .Distinct()
            .ToList();
        // First of all, so that an erasure that is interrupted is neither undone by the next run nor, repeated, takes
        // others' work for out of date.
        ErasureJournal.Write(
            _run,
            [.. (ErasureJournal.Read(_run) ?? FindCompleteStages()).Except(tainted.Select(stage => stage.Name))]
        );
        ForgottenUsers.Add(_run, id, CountsTowardLimit(id));
        RemoveStages(tainted); // while the lines still tell that they hold him
        foreach (
            var adapter in _usersToErase
                .SelectMany(one => new[] { _run.SftAdapter(one.Id), _run.DpoAdapter(one.Id) })
                .Append(_run.CheckpointsFolder)
        )
        {
            AtomicFile.Remove(adapter);
        }

        foreach (
            var part in Directory.EnumerateFileSystemEntries(_run.Root, "*.part", SearchOption.AllDirectories).ToList()
        )
        {
            AtomicFile.Remove(part);
        }

        foreach (var one in _usersToErase)
        {
            new UserRecords(_run, one).Remove();
        }

        foreach (var file in ResultFiles.Append(_run.Report))
        {
            AtomicFile.Remove(file);
        }

        RemoveAggregates(_run);
        if (_run.ParentRun() is { } outer)
        {
            RemoveAggregates(outer);
        }

        return traces;
    }

    /// <summary>
    /// Stages that are complete, those among them that the recipe does not name, such as the answers of a further
    /// method.
    /// </summary>
    IEnumerable<string> FindCompleteStages()
    {
        var ledger = new StageLedger(pipeline, context);
        return pipeline
            .Stages.Select(ledger.GetStatus)
            .Where(status => status.State == StageState.Complete)
            .Select(status => status.Stage);
    }

    bool CountsTowardLimit(string id) =>
        context.Recipe.Users is { } most
        && (_data is null || ForgottenUsers.Read(_run).SelectRemaining(ReadUsers(), most).Any(user => user.Id == id));

    /// <summary>
    /// Takes him out of data in the run's folder, with whomever it forgot before; out of a data folder elsewhere only
    /// where that is wanted.
    /// </summary>
    void RemoveFromData(string id, bool isElsewhereToo)
    {
        if (_data is null || !(IsDataInRun || isElsewhereToo))
        {
            return;
        }

        var forgotten = ForgottenUsers.Read(_run);
        foreach (
            var user in _data
                .ReadUsers()
                .Where(user => user.Id == id || (IsDataInRun && forgotten.Contains(user.Id)))
                .ToList()
        )
        {
            _data.Remove(user);
        }
    }

    static void RemoveAggregates(RunDirectory run)
    {
        foreach (var file in AggregateFiles(run))
        {
            AtomicFile.Remove(file);
        }
    }

    static string[] AggregateFiles(RunDirectory run) =>
        [run.SeedResults, run.SeedResultsTable, run.SeedReport, run.SweepReport, run.SweepTable, run.ChosenRecipe];

    /// <summary>
    /// Stages whose outputs hold him without telling what is his: the model of everyone, adapters of others that a text
    /// of his was held against, and what was made with these.
    /// </summary>
    List<Stage> FindStagesTrainedOn(UserIdentity user)
    {
        string[] adapters =
        [
            _run.TamAllAdapter,
            .. new UserRecords(_run, user).IsUsedAsRejectedAnswer() ? (string[])[_run.DpoAdapters] : [],
        ];
        var trained = pipeline
            .Stages.Where(stage =>
                stage.Outputs(_run).Any(output => adapters.Contains(output) && Directory.Exists(output))
            )
            .ToList();
        var names = trained.Select(stage => stage.Name).ToHashSet();
        return
        [
            .. trained,
            .. pipeline.Stages.Where(stage =>
                stage.IsUsedBy(context.Recipe)
                && stage.Name != "evaluate"
                && stage.Needs(context.Recipe).Any(names.Contains)
            ),
        ];
    }

    void RemoveStages(List<Stage> stages)
    {
        foreach (var stage in stages)
        {
            AtomicFile.Remove(_run.Marker(stage.Name));
            foreach (var output in stage.Outputs(_run))
            {
                AtomicFile.Remove(output);
            }
        }
    }

    /// <summary>
    /// Evaluates and reports again where that was done before, and notes the new inputs and sizes of what complete
    /// stages made. With that the erasure is at its end.
    /// </summary>
    void RebuildStages()
    {
        var whole = ErasureJournal.Read(_run) ?? [];
        var isAnybodyLeft =
            _data is null || ForgottenUsers.Read(_run).SelectRemaining(ReadUsers(), context.Recipe.Users).Any();
        using var shared = new SharedResources();
        var fresh = context with { Shared = shared };
        var ledger = new StageLedger(pipeline, fresh);
        foreach (var stage in pipeline.Stages.Where(stage => File.Exists(_run.Marker(stage.Name))))
        {
            var isWhole =
                whole.Contains(stage.Name)
                && HasInputs(stage)
                && (isAnybodyLeft || stage.Outputs(_run).Contains(_run.TamAdapter))
                && stage.Needs(context.Recipe).All(needed => File.Exists(_run.Marker(needed)));
            if (isWhole && stage is EvaluateStage)
            {
                EvaluateStage.WriteResults(fresh);
            }
            else if (isWhole && stage is ReportStage)
            {
                stage.Execute(fresh);
            }

            if (isWhole)
            {
                ledger.RefreshMarker(stage);
            }
            else
            {
                RemoveStages([stage]);
            }
        }

        AtomicFile.Remove(_run.PendingErasure);
    }

    /// <summary>Whether there is what a stage is made anew from; most are not, they lose what is his.</summary>
    bool HasInputs(Stage stage) =>
        stage switch
        {
            EvaluateStage => (context.Inputs.Missing & (InputFiles.Data | InputFiles.Task)) == InputFiles.None,
            ReportStage => context.Inputs.Missing == InputFiles.None,
            _ => true,
        };

    /// <summary>Looks through every file that is left, whatever its kind.</summary>
    void ThrowIfTextRemains()
    {
        foreach (
            var file in Directory
                .EnumerateFiles(_run.Root, "*", SearchOption.AllDirectories)
                .Where(file => Path.GetExtension(file) is not ".safetensors" && Path.GetFileName(file) != ".lock")
        )
        {
            var content = File.ReadAllText(file);
            foreach (var user in _usersToErase)
            {
                if (user.FindTextIn(content) is { } found)
                {
                    throw new RunException(
                        $"{file} still holds a text of user {user.Id} (\"{found[..Math.Min(40, found.Length)]}\"), perhaps as another user's too: look at it, and delete it"
                    );
                }
            }
        }
    }
}
