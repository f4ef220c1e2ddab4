using CoPe.Data;
using CoPe.Data.Tasks;
using CoPe.Runs.Stages;

namespace CoPe.Runs.Privacy;

/// <summary>
/// Lists and erases everything in a run that is derived from a user: adapters, candidates, rejected answers, descriptions, answers, figures, checkpoints, results and report.
/// An erasure that was interrupted ends, repeated, as one that was not: see <see cref="ErasureNote"/>.
/// </summary>
/// <param name="pipeline">The stages.</param>
/// <param name="context">The run; for <see cref="Forget"/> under its lock. Its inputs may be gone: what they are needed for is then removed, not made anew.</param>
public sealed class UserErasure(Pipeline pipeline, StageContext context)
{
    readonly RunDirectory run = context.Run;

    /// <summary>The data; null where their folder is gone.</summary>
    readonly UserData? data = context.Inputs.Gone.HasFlag(StageFiles.Data) ? null : new(context.Inputs.Data, TaskFile.Read(context.Inputs.TaskFile).Task);

    /// <summary>Who leaves the run in this erasure.</summary>
    List<KnownUser> leaving = [];

    string[] Figures => [run.Results, run.ResultsTable, run.Significance, run.SignificanceTable, run.UserResultsTable];

    bool IsDataInRun => Path.GetFullPath(context.Inputs.Data).StartsWith(run.Root + Path.DirectorySeparatorChar, StringComparison.Ordinal);

    /// <summary>The run's users with what there is of each; where the data are gone, those whom its files name, without history and queries.</summary>
    public IEnumerable<(LampUser User, IReadOnlyList<UserTrace> Traces)> List()
    {
        var forgotten = ForgottenUsers.Read(run);
        var users = data is not null ? data.Read() : UserLines.Named(run).Select(line => line.User).Distinct().Select(id => new LampUser { Id = id, Profile = [], Queries = [] });
        return users.Where(user => !forgotten.Contains(user.Id)).Select(user => (user, (IReadOnlyList<UserTrace>)Traces(data is not null ? new(user, data.Task) : Find(user.Id))));
    }

    /// <summary>What there is of a user.</summary>
    /// <exception cref="RunException">The run has no such user.</exception>
    public IReadOnlyList<UserTrace> Show(string id) => Traces(Find(id));

    /// <summary>Erases a user from runs that lie in one folder, or from that run itself; results and report are made anew without him where everything for them is there, otherwise removed.</summary>
    /// <param name="runs">Those of the runs that know him.</param>
    /// <param name="folder">The folder: what runs within it came to together goes too, and runs that are added there will not take him up.</param>
    /// <param name="id">The user.</param>
    /// <param name="isDataToo">Erases him from data folders outside the runs as well.</param>
    /// <returns>What there was in each run.</returns>
    /// <exception cref="RunException">A run has no such user, he trained the task-adaptive model, or a file still holds a text of his.</exception>
    public static IReadOnlyList<IReadOnlyList<UserTrace>> Forget(IReadOnlyList<UserErasure> runs, RunDirectory folder, string id, bool isDataToo)
    {
        ArgumentNullException.ThrowIfNull(runs);
        ArgumentNullException.ThrowIfNull(folder);
        // The data when every run has let him go, for by them he is known; the stages when the data are as they stay, for they are an input of each.
        var traces = runs.Select(run => run.TakeOut(id)).ToList();
        ForgottenUsers.Add(folder, id, folder.Within().Any(within => ForgottenUsers.Read(within).WasAdmitted(id)));
        RemoveAverages(folder);
        foreach (var run in runs) run.TakeOutOfData(id, isDataToo);
        foreach (var run in runs) run.Renew();
        foreach (var run in runs) run.RequireGone();
        return traces;
    }

    /// <summary>Whether the run's data or its files know a user, or he is being erased from it.</summary>
    public bool Knows(string id) => IsInData(id) || Left(id) is not null || IsHalfErased(id);

    /// <summary>Whether the data folder holds a test user.</summary>
    public bool IsInData(string id) => Users().Any(user => user.Id == id);

    IEnumerable<LampUser> Users() => data?.Read() ?? [];

    bool IsHalfErased(string id) => File.Exists(run.Erasure) && ForgottenUsers.Read(run).Contains(id);

    KnownUser? Left(string id) => KnownUser.OfRun(run, id, Orphans());

    /// <summary>Queries with answers of which it is not known whose they are.</summary>
    IEnumerable<string> Orphans() => UserLines.Answered(run).Except(data is not null ? data.Read().SelectMany(KnownUser.QueriesOf) : UserLines.Named(run).Select(line => line.Query).OfType<string>());

    KnownUser Find(string id)
    {
        if (Users().FirstOrDefault(user => user.Id == id) is { } user) return new(user, data!.Task);
        if (data?.IsOther(id) == true) throw new RunException($"user {id} is no test user of {run.Name}: his queries are part of the task-adaptive model, which cannot give them back; take him out of {LampFiles.OthersFile} and train a new run");
        if (Left(id) is { } left) return left;
        if (IsHalfErased(id)) return KnownUser.OfId(id);
        throw new RunException($"{run.Name} has no user '{id}'{NearestName.Hint(id, Users().Select(one => one.Id))}; 'cope user ls {run.Name}' lists them");
    }

    /// <summary>Users whom an interrupted erasure left in the run in part.</summary>
    IEnumerable<KnownUser> Unfinished()
    {
        if (!File.Exists(run.Erasure)) return [];
        var forgotten = ForgottenUsers.Read(run);
        return Users().Select(user => user.Id).Concat(UserLines.Named(run).Select(line => line.User)).Distinct().Where(forgotten.Contains).Select(Find);
    }

    List<UserTrace> Traces(KnownUser user)
    {
        var traces = new List<UserTrace>();
        void Add(string path, string what, int count) => traces.Add(new(Path.GetRelativePath(run.Root, path).Replace('\\', '/'), what, count));
        foreach (var (folder, what) in new[] { (run.SftAdapter(user.Id), "his SFT adapter"), (run.DpoAdapter(user.Id), "his DPO adapter") })
            if (Directory.Exists(folder)) Add(folder, what, Directory.EnumerateFiles(folder).Count());
        var lines = new UserLines(run, user);
        foreach (var (file, count) in lines.Lines()) Add(file, "lines of his, or that hold a text of his", count);
        foreach (var (file, count) in lines.Answers()) Add(file, "answers to his queries", count);
        if (Directory.Exists(run.AllCheckpoints) && Directory.EnumerateFiles(run.AllCheckpoints, "*", SearchOption.AllDirectories).Count() is > 0 and var saved) Add(run.AllCheckpoints, "checkpoints of several users together", saved);
        if (Directory.Exists(run.TamOfEveryoneAdapter)) Add(run.TamOfEveryoneAdapter, "an adapter trained on everyone", 1);
        if (lines.IsBorrowed()) Add(run.DpoAdapters, "adapters of others, trained with a text of his as a rejected answer", 1);
        foreach (var (file, what) in ((string, string)[])[.. Figures.Select(file => (file, "figures that he is part of")), (run.Report, "texts and figures of users"), .. new[] { run, run.Around() }.OfType<RunDirectory>().SelectMany(Averages).Select(file => (file, "means over users"))])
            if (File.Exists(file)) Add(file, what, 1);
        if (IsDataInRun && data is not null) Add(Path.Combine(context.Inputs.Data, LampFiles.UsersFile), "his history and queries", 1);
        return traces;
    }

    /// <summary>Takes him out of the run's files, and whoever an interrupted erasure left; stages that hold them go. Returns what there was of him.</summary>
    List<UserTrace> TakeOut(string id)
    {
        var user = Find(id);
        var traces = Traces(user);
        leaving = [user, .. Unfinished().Where(other => other.Id != id)];
        var tainted = leaving.SelectMany(TrainedOnHim).Concat(data is null && Orphans().Any() ? pipeline.Stages.OfType<PredictStage>() : []).Distinct().ToList();
        // First of all, so that an erasure that is interrupted is neither undone by the next run nor, repeated, takes others' work for out of date.
        ErasureNote.Write(run, [.. (ErasureNote.Read(run) ?? Complete()).Except(tainted.Select(stage => stage.Name))]);
        ForgottenUsers.Add(run, id, IsAdmitted(id));
        RemoveStages(tainted); // while the lines still tell that they hold him
        foreach (var adapter in leaving.SelectMany(one => new[] { run.SftAdapter(one.Id), run.DpoAdapter(one.Id) }).Append(run.AllCheckpoints)) AtomicFile.Remove(adapter);
        foreach (var part in Directory.EnumerateFileSystemEntries(run.Root, "*.part", SearchOption.AllDirectories).ToList()) AtomicFile.Remove(part);
        foreach (var one in leaving) new UserLines(run, one).TakeOut();
        foreach (var file in Figures.Append(run.Report)) AtomicFile.Remove(file);
        RemoveAverages(run);
        if (run.Around() is { } outer) RemoveAverages(outer);
        return traces;
    }

    /// <summary>Stages that are complete, those among them that the recipe does not name, such as the answers of a further method.</summary>
    IEnumerable<string> Complete()
    {
        var ledger = new StageLedger(pipeline, context);
        return pipeline.Stages.Select(ledger.Status).Where(status => status.State == StageState.Complete).Select(status => status.Stage);
    }

    bool IsAdmitted(string id) => context.Recipe.Users is { } most && (data is null || ForgottenUsers.Read(run).Staying(Users(), most).Any(user => user.Id == id));

    /// <summary>Takes him out of data in the run's folder, with whomever it forgot before; out of a data folder elsewhere only where that is wanted.</summary>
    void TakeOutOfData(string id, bool isElsewhereToo)
    {
        if (data is null || !(IsDataInRun || isElsewhereToo)) return;
        var forgotten = ForgottenUsers.Read(run);
        foreach (var user in data.Read().Where(user => user.Id == id || (IsDataInRun && forgotten.Contains(user.Id))).ToList()) data.TakeOut(user);
    }

    static void RemoveAverages(RunDirectory run)
    {
        foreach (var file in Averages(run)) AtomicFile.Remove(file);
    }

    static string[] Averages(RunDirectory run) => [run.SeedResults, run.SeedResultsTable, run.SeedReport, run.SweepReport, run.SweepTable, run.ChosenRecipe];

    /// <summary>Stages whose outputs hold him without telling what is his: the model of everyone, adapters of others that a text of his was held against, and what was made with these.</summary>
    List<Stage> TrainedOnHim(KnownUser user)
    {
        string[] adapters = [run.TamOfEveryoneAdapter, .. new UserLines(run, user).IsBorrowed() ? (string[])[run.DpoAdapters] : []];
        var trained = pipeline.Stages.Where(stage => stage.Outputs(run).Any(output => adapters.Contains(output) && Directory.Exists(output))).ToList();
        var names = trained.Select(stage => stage.Name).ToHashSet();
        return [.. trained, .. pipeline.Stages.Where(stage => stage.IsIn(context.Recipe) && stage.Name != "evaluate" && stage.Needs(context.Recipe).Any(names.Contains))];
    }

    void RemoveStages(List<Stage> stages)
    {
        foreach (var stage in stages)
        {
            AtomicFile.Remove(run.Marker(stage.Name));
            foreach (var output in stage.Outputs(run)) AtomicFile.Remove(output);
        }
    }

    /// <summary>Evaluates and reports again where that was done before, and notes the new inputs and sizes of what complete stages made. With that the erasure is at its end.</summary>
    void Renew()
    {
        var whole = ErasureNote.Read(run) ?? [];
        var isAnybodyLeft = data is null || ForgottenUsers.Read(run).Staying(Users(), context.Recipe.Users).Any();
        using var shared = new SharedResources();
        var fresh = context with { Shared = shared };
        var ledger = new StageLedger(pipeline, fresh);
        foreach (var stage in pipeline.Stages.Where(stage => File.Exists(run.Marker(stage.Name))))
        {
            var isWhole = whole.Contains(stage.Name) && HasInputs(stage) && (isAnybodyLeft || stage.Outputs(run).Contains(run.TamAdapter)) && stage.Needs(context.Recipe).All(needed => File.Exists(run.Marker(needed)));
            if (isWhole && stage is EvaluateStage) EvaluateStage.WriteResults(fresh);
            else if (isWhole && stage is ReportStage) stage.Execute(fresh);
            if (isWhole) ledger.Renew(stage);
            else RemoveStages([stage]);
        }

        AtomicFile.Remove(run.Erasure);
    }

    /// <summary>Whether there is what a stage is made anew from; most are not, they lose what is his.</summary>
    bool HasInputs(Stage stage) => stage switch
    {
        EvaluateStage => (context.Inputs.Gone & (StageFiles.Data | StageFiles.Task)) == StageFiles.None,
        ReportStage => context.Inputs.Gone == StageFiles.None,
        _ => true,
    };

    /// <summary>Looks through every file that is left, whatever its kind.</summary>
    void RequireGone()
    {
        foreach (var file in Directory.EnumerateFiles(run.Root, "*", SearchOption.AllDirectories).Where(file => Path.GetExtension(file) is not ".safetensors" && Path.GetFileName(file) != ".lock"))
        {
            var content = File.ReadAllText(file);
            foreach (var user in leaving)
                if (user.TextIn(content) is { } found) throw new RunException($"{file} still holds a text of user {user.Id} (\"{found[..Math.Min(40, found.Length)]}\"), perhaps as another user's too: look at it, and delete it");
        }
    }
}
