using CoPe.Data;
using CoPe.Data.Tasks;
using CoPe.Runs.Stages;

namespace CoPe.Runs.Privacy;

/// <summary>Lists and erases everything in a run that is derived from a user: adapters, candidates, rejected answers, descriptions, answers, figures, checkpoints, results and report.</summary>
/// <param name="pipeline">The stages.</param>
/// <param name="context">The run; for <see cref="Forget"/> under its lock.</param>
public sealed class UserErasure(Pipeline pipeline, StageContext context)
{
    readonly RunDirectory run = context.Run;
    readonly LampTask task = TaskFile.Read(context.Inputs.TaskFile).Task;

    string[] Figures => [run.Results, run.ResultsTable, run.Significance, run.SignificanceTable, run.UserResultsTable];

    UserData Data => new(context.Inputs.Data, task);

    bool IsDataInRun => Path.GetFullPath(context.Inputs.Data).StartsWith(run.Root + Path.DirectorySeparatorChar, StringComparison.Ordinal);

    /// <summary>The run's users with what there is of each.</summary>
    public IEnumerable<(LampUser User, IReadOnlyList<UserTrace> Traces)> List()
    {
        var forgotten = ForgottenUsers.Read(run);
        return Data.Read().Where(user => !forgotten.Contains(user.Id)).Select(user => (user, (IReadOnlyList<UserTrace>)Traces(new(user, task))));
    }

    /// <summary>What there is of a user.</summary>
    /// <exception cref="RunException">The run has no such user.</exception>
    public IReadOnlyList<UserTrace> Show(string id) => Traces(Find(id));

    /// <summary>Erases a user; results and report are made anew without him where everything for them is there, otherwise removed. Returns what there was.</summary>
    /// <param name="id">The user.</param>
    /// <param name="isDataToo">Erases him from the data folder as well, where it lies outside the run.</param>
    /// <exception cref="RunException">The run has no such user, or he trained the task-adaptive model.</exception>
    public IReadOnlyList<UserTrace> Forget(string id, bool isDataToo)
    {
        var user = Find(id);
        var traces = Traces(user);
        var complete = pipeline.Status(context).Where(status => status.State == StageState.Complete).Select(status => pipeline.Find(status.Stage)).ToList();
        var tainted = TrainedOnHim(user);
        // First of all, so that an erasure that is interrupted is not undone by the next run.
        ForgottenUsers.Read(run).With(id).Write(run);
        AtomicFile.Remove(run.SftAdapter(id));
        AtomicFile.Remove(run.DpoAdapter(id));
        AtomicFile.Remove(run.AllCheckpoints);
        foreach (var left in Directory.EnumerateFileSystemEntries(run.Root, "*.part", SearchOption.AllDirectories).ToList()) AtomicFile.Remove(left);
        new UserLines(run, user).TakeOut();
        complete = [.. complete.Except(RemoveStages(tainted))];
        if (IsDataInRun || isDataToo) Data.TakeOut(user);
        foreach (var file in Figures.Append(run.Report)) AtomicFile.Remove(file);
        Renew(complete);
        ForgetTogether(run, id);
        if (run.Around() is { } outer) RemoveAverages(outer);
        RequireGone(user);
        return traces;
    }

    /// <summary>Removes what the runs within a folder came to together, averages over seeds, curves and choices of a sweep; runs that are added there will not take the user up.</summary>
    public static void ForgetTogether(RunDirectory run, string id)
    {
        ArgumentNullException.ThrowIfNull(run);
        ForgottenUsers.Read(run).With(id).Write(run);
        RemoveAverages(run);
    }

    static void RemoveAverages(RunDirectory run)
    {
        foreach (var file in Averages(run)) AtomicFile.Remove(file);
    }

    static string[] Averages(RunDirectory run) => [run.SeedResults, run.SeedResultsTable, run.SeedReport, run.SweepReport, run.SweepTable, run.ChosenRecipe];

    /// <summary>Whether the run's data or its files know a user.</summary>
    public bool Knows(string id) => IsInData(id) || Left(id) is not null;

    /// <summary>Whether the data folder holds a test user.</summary>
    public bool IsInData(string id) => Data.Read().Any(user => user.Id == id);

    KnownUser? Left(string id) => KnownUser.OfRun(run, id, UserLines.Answered(run).Except(Data.Read().SelectMany(KnownUser.QueriesOf)));

    KnownUser Find(string id)
    {
        if (Data.Read().FirstOrDefault(user => user.Id == id) is { } user) return new(user, task);
        if (Data.IsOther(id)) throw new RunException($"user {id} is no test user of {run.Name}: his queries are part of the task-adaptive model, which cannot give them back; take him out of {LampFiles.OthersFile} and train a new run");
        if (Left(id) is { } left) return left;
        throw new RunException($"{run.Name} has no user '{id}'{NearestName.Hint(id, Data.Read().Select(one => one.Id))}; 'cope user ls {run.Name}' lists them");
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
        if (IsDataInRun) Add(Path.Combine(context.Inputs.Data, LampFiles.UsersFile), "his history and queries", 1);
        return traces;
    }

    /// <summary>Stages whose outputs hold him without telling what is his: the model of everyone, adapters of others that a text of his was held against, and what was made with these.</summary>
    List<Stage> TrainedOnHim(KnownUser user)
    {
        string[] adapters = [run.TamOfEveryoneAdapter, .. new UserLines(run, user).IsBorrowed() ? (string[])[run.DpoAdapters] : []];
        var trained = pipeline.Stages.Where(stage => stage.Outputs(run).Any(output => adapters.Contains(output) && Directory.Exists(output))).ToList();
        var names = trained.Select(stage => stage.Name).ToHashSet();
        return [.. trained, .. pipeline.Stages.Where(stage => stage.IsIn(context.Recipe) && stage.Name != "evaluate" && stage.Needs(context.Recipe).Any(names.Contains))];
    }

    List<Stage> RemoveStages(List<Stage> stages)
    {
        foreach (var stage in stages)
        {
            AtomicFile.Remove(run.Marker(stage.Name));
            foreach (var output in stage.Outputs(run)) AtomicFile.Remove(output);
        }

        return stages;
    }

    /// <summary>Evaluates and reports again where that was done before, and notes the new sizes of what complete stages made.</summary>
    void Renew(List<Stage> complete)
    {
        var forgotten = ForgottenUsers.Read(run);
        var isAnybodyLeft = Data.Read().Any(user => !forgotten.Contains(user.Id));
        using var shared = new SharedResources();
        var fresh = context with { Shared = shared };
        var ledger = new StageLedger(pipeline, fresh);
        foreach (var stage in pipeline.Stages.Where(stage => File.Exists(run.Marker(stage.Name))))
        {
            var isWhole = complete.Contains(stage) && (isAnybodyLeft || stage.Outputs(run).Contains(run.TamAdapter)) && stage.Needs(context.Recipe).All(needed => File.Exists(run.Marker(needed)));
            if (isWhole && stage is EvaluateStage) EvaluateStage.WriteResults(fresh);
            else if (isWhole && stage is ReportStage) stage.Execute(fresh);
            if (isWhole) ledger.Renew(stage);
            else RemoveStages([stage]);
        }
    }

    /// <summary>Looks through every file that is left, whatever its kind.</summary>
    void RequireGone(KnownUser user)
    {
        foreach (var file in Directory.EnumerateFiles(run.Root, "*", SearchOption.AllDirectories).Where(file => Path.GetExtension(file) is not ".safetensors" && Path.GetFileName(file) != ".lock"))
        {
            if (user.TextIn(File.ReadAllText(file)) is { } found) throw new RunException($"{file} still holds a text of user {user.Id} (\"{found[..Math.Min(40, found.Length)]}\"), perhaps as another user's too: look at it, and delete it");
        }
    }
}
