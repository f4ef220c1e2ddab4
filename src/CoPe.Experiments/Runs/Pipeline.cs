using CoPe.Experiments.Runs.Blocks;
using CoPe.Experiments.Runs.Recipes;

namespace CoPe.Experiments.Runs;

/// <summary>
/// Runs stages in order, each once per set of inputs. A stage whose marker names the same inputs is skipped; one that
/// was interrupted is resumed; one made from other inputs is rebuilt, and the log says what changed. What a rebuild
/// replaces comes back where it fails or is stopped.
/// </summary>
/// <param name="stages">Stages in order.</param>
public sealed class Pipeline(IReadOnlyList<Stage> stages)
{
    /// <summary>Work that took this long is only thrown away where the person says so.</summary>
    static readonly TimeSpan ExpensiveWork = TimeSpan.FromMinutes(10);

    /// <summary>The stages, in order.</summary>
    public IReadOnlyList<Stage> Stages { get; } = stages;

    /// <summary>
    /// Runs every stage of the recipe that is not complete, up to <paramref name="last"/> where one is named. What is
    /// rebuilt replaces what was there only once all of it is complete.
    /// </summary>
    /// <param name="context">The run, whose lock is held.</param>
    /// <param name="last">The last stage that is run; null runs all.</param>
    /// <param name="reuseFrom">
    /// Runs whose complete stages are copied where they were made from the same inputs, so that runs which differ in
    /// one key share the stages before it.
    /// </param>
    /// <exception cref="RunException">
    /// Something that a stage reads is not as it must be. A stage would be rebuilt that took long or was paid for; the
    /// message says what changed. Or an erasure was interrupted. Nothing was touched.
    /// </exception>
    public void Run(StageContext context, StageId? last = null, IReadOnlyList<RunDirectory>? reuseFrom = null)
    {
        ArgumentNullException.ThrowIfNull(context);
        RunReplacement.RollBack(context.Run);
        new FormerUserNames(context.Run).Rename();
        ThrowIfUnusable(context);
        var end = last is null ? Stages[^1] : Find(last);
        var upToEnd = Stages.TakeWhile(stage => stage != end).Append(end);
        var due = upToEnd.Intersect(SelectStages(context.Recipe)).ToList();
        RunDue(context, due, again: false, FindSources(context.Run, reuseFrom ?? []));
    }

    /// <summary>
    /// Runs one stage, or again where it is complete and <paramref name="again"/> is set. Its predecessors must be
    /// complete.
    /// </summary>
    /// <exception cref="RunException">
    /// A predecessor is not complete; the message names the command that runs it. Something that the stage reads is not
    /// as it must be. The stage would be rebuilt without <paramref name="again"/>, and took long. Or an erasure was
    /// interrupted. Nothing was touched.
    /// </exception>
    public void RunStage(StageContext context, StageId id, bool again = false)
    {
        ArgumentNullException.ThrowIfNull(context);
        RunReplacement.RollBack(context.Run);
        new FormerUserNames(context.Run).Rename();
        ThrowIfUnusable(context);
        var stage = Find(id);
        if (stage.ExplainUnused(context.Recipe) is { } reason)
        {
            throw new RunException(reason);
        }

        if (!File.Exists(context.Run.Recipe))
        {
            SaveRecipe(context.Workspace.Recipe, context.Run); // so that the command named first needs no recipe
        }

        var ledger = new StageLedger(this, context);
        foreach (var needed in stage.Needs(context.Recipe))
        {
            RequireComplete(stage, ledger.GetStatus(Find(needed)), context, ledger);
        }

        RunDue(context, [stage], again, []);
    }

    /// <summary>
    /// Runs what the blocks of a run share (<see cref="BlockStages.Shared"/>) and plans the run, so that its blocks can
    /// be made anywhere.
    /// </summary>
    /// <exception cref="RunException">
    /// The run cannot be made in blocks, or its inputs are not as they must be.
    /// </exception>
    internal void RunShared(StageContext context)
    {
        RunReplacement.RollBack(context.Run);
        ThrowIfUnusable(context);
        var stages = new BlockStages(this, context);
        if (stages.AreMerged())
        {
            return;
        }

        stages.RequireSeparable();
        RunDue(context, stages.Shared, again: false, []);
        using var threads = RunPlan.Follow(context);
    }

    /// <summary>Runs the stages of a block in its folder; what all blocks share is copied from the whole run.</summary>
    internal void RunBlock(StageContext block, RunDirectory whole)
    {
        RunReplacement.RollBack(block.Run);
        var stages = new BlockStages(this, block);
        RunDue(block, [.. Stages.Intersect(stages.OfBlock)], again: false, [whole]);
    }

    /// <summary>Checks what the stages of the recipe read, as <see cref="Run"/> does; changes nothing.</summary>
    /// <exception cref="RunException">Something is not as it must be.</exception>
    public void CheckInputs(StageContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        context.Recipe.Validate();
        var preflight = new RunPreflight(context);
        foreach (var stage in SelectStages(context.Recipe))
        {
            stage.CheckInputs(preflight);
        }
    }

    /// <summary>Where every stage of the recipe stands.</summary>
    public IReadOnlyList<StageStatus> GetStatus(StageContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var ledger = new StageLedger(this, context);
        var stages = SelectStages(context.Recipe).Select(ledger.GetStatus);
        return [.. File.Exists(context.Run.PendingErasure) ? stages.Select(MarkInterrupted) : stages];
    }

    /// <summary>Before an erasure is finished, no stage is known to be without the user.</summary>
    static StageStatus MarkInterrupted(StageStatus status) =>
        status.State is StageState.Complete or StageState.UsersChanged
            ? status with
            {
                State = StageState.Interrupted,
                Reasons = ["an erasure was interrupted"],
            }
            : status;

    /// <summary>The stages of a recipe, in order: those it requests, and those that these need.</summary>
    public IReadOnlyList<Stage> SelectStages(Recipe recipe)
    {
        var selected = new HashSet<Stage>();
        foreach (var stage in Stages.Where(stage => stage.IsRequestedBy(recipe)))
        {
            Select(stage);
        }

        return [.. Stages.Where(selected.Contains)];

        void Select(Stage stage)
        {
            if (!selected.Add(stage))
            {
                return;
            }

            foreach (var needed in stage.Needs(recipe))
            {
                Select(Find(needed));
            }
        }
    }

    /// <summary>The stage of an id.</summary>
    /// <exception cref="ArgumentException">The pipeline has none.</exception>
    public Stage Find(StageId id) =>
        Stages.FirstOrDefault(stage => stage.Id == id)
        ?? throw new ArgumentException($"the pipeline has no stage '{id}'", nameof(id));

    /// <summary>Writes the recipe into a run's folder, where another one or none is kept there.</summary>
    internal static void SaveRecipe(Recipe recipe, RunDirectory run) => RunRecipe.Save(recipe, run);

    static void ThrowIfUnusable(StageContext context)
    {
        ErasureJournal.ThrowIfInterrupted(context.Run);
        context.Recipe.Validate();
    }

    /// <summary>Runs that stages may be copied from.</summary>
    static List<RunDirectory> FindSources(RunDirectory run, IReadOnlyList<RunDirectory> runs) =>
        [
            .. runs.Where(other =>
                other.Root != run.Root && !File.Exists(other.PendingErasure) && !new FormerUserNames(other).IsPending()
            ),
        ];

    void RunDue(StageContext context, IReadOnlyList<Stage> due, bool again, List<RunDirectory> sources)
    {
        if (sources.Find(source => File.Exists(source.FileHashes)) is { } hashed)
        {
            context.Workspace.Hashes.ReuseFrom(hashed.FileHashes); // A large model is hashed once.
        }

        var rebuild = Plan(context, due, again);
        try
        {
            rebuild.Begin();
            using var threads = rebuild.HasWork ? RunPlan.Follow(context) : null;
            context.Workspace.Hashes.Save();
            SaveRecipe(context.Workspace.Recipe, context.Run);
            var ledger = new StageLedger(this, context);
            foreach (var stage in due)
            {
                ledger.ReuseFrom(stage, sources);
            }

            if (again || due.Any(stage => ledger.GetStatus(stage).State != StageState.Complete))
            {
                EnvironmentNotice.Report(this, context);
            }

            foreach (var stage in due)
            {
                RunIfNeeded(stage, context, again);
            }

            if (!File.Exists(context.Run.Manifest))
            {
                RunManifest.Create(this, context).Write(context.Run.Manifest); // Where all of it was made before.
            }
        }
        catch
        {
            rebuild.RollBack();
            throw;
        }

        rebuild.Commit();
        RunRecords.Complete(this, context);
    }

    /// <summary>Checks everything that must hold before the run changes, and says in a line what is rebuilt.</summary>
    Rebuild Plan(StageContext context, IReadOnlyList<Stage> due, bool again)
    {
        var ledger = new StageLedger(this, context);
        var statuses = due.Select(ledger.GetStatus).ToList();
        var preflight = new RunPreflight(context);
        foreach (var (stage, status) in due.Zip(statuses))
        {
            if (status.State != StageState.Complete || again)
            {
                ForeignAdapters.Refuse(stage, context.Run);
                RefuseBesideBlocks(stage, context);
                stage.CheckInputs(preflight);
            }
        }

        var stale = statuses.Where(status => status.State is StageState.Stale or StageState.UsersChanged).ToList();
        if (!context.AllowCostlyRebuild && !again)
        {
            RefuseCostlyRebuild(statuses, stale, context);
        }

        var rebuild = new Rebuild(this, ledger, context, [.. due.Zip(statuses)], again);
        if (rebuild.FollowsPlan)
        {
            RunPlan.CheckMachine(context);
        }

        return rebuild;
    }

    /// <summary>A run that is made in blocks is not made whole at the same time.</summary>
    static void RefuseBesideBlocks(Stage stage, StageContext context)
    {
        var run = context.Run;
        if (context.Blocks is null && Directory.Exists(run.Blocks) && stage.IsMadeInBlocks(context))
        {
            throw new RunException(
                $"{run.Name} is made in blocks: 'cope run --run {run.Name} --shard 0/1' makes those that are missing, "
                    + $"'cope finish {run.Name}' puts them together (to begin whole all the same, delete {run.Blocks})"
            );
        }
    }

    void RefuseCostlyRebuild(List<StageStatus> statuses, List<StageStatus> stale, StageContext context)
    {
        foreach (var status in statuses)
        {
            if (Find(status.Stage).FindConflict(context, status) is { } conflict)
            {
                throw new RunException(conflict);
            }
        }

        foreach (var status in statuses.Where(status => status.State != StageState.Complete))
        {
            DamagedMarkers.RefuseUnfinished(context.Run, Find(status.Stage));
        }

        var isUnknown = stale.Exists(status => status.IsTimeUnknown);
        if (isUnknown || TimeSpan.FromSeconds(stale.Sum(status => status.TimeSpent.TotalSeconds)) >= ExpensiveWork)
        {
            throw new RunException(RebuildReasons.DescribeRefusal(stale, context));
        }
    }

    void RequireComplete(Stage stage, StageStatus needed, StageContext context, StageLedger ledger)
    {
        if (needed.State == StageState.Complete)
        {
            return;
        }

        var run = context.Run.Name;
        var why = needed.State switch
        {
            StageState.Interrupted => "was interrupted",
            StageState.UsersChanged => $"has other users ({string.Join("; ", needed.Reasons)})",
            StageState.Stale => $"is out of date ({string.Join("; ", needed.Reasons)})",
            _ => "has not run",
        };
        var isNext = Find(needed.Stage)
            .Needs(context.Recipe)
            .All(before => ledger.GetStatus(Find(before)).State == StageState.Complete);
        var command = isNext ? needed.Stage.Command : "cope run";
        var condition = needed.State == StageState.Stale ? "with the same settings " : "";
        throw new RunException(
            $"'{stage.Name}' needs '{needed.Stage}', which {why} in {run}: run '{command} --run {run}' {condition}first"
        );
    }

    void RunIfNeeded(Stage stage, StageContext context, bool again)
    {
        context.Cancellation.ThrowIfCancellationRequested();
        var ledger = new StageLedger(this, context);
        var status = ledger.GetStatus(stage);
        if (status.State == StageState.Complete && !again)
        {
            ledger.Confirm(stage);
            context.Events.Report(new(stage.Name, StageEventKind.Skipped));
            return;
        }

        var resumes = status.State == StageState.Interrupted;
        var updates = status.State == StageState.UsersChanged && !again;
        var started = ledger.Start(stage, keepPartial: resumes || updates);
        context.Events.Report(new(stage.Name, resumes ? StageEventKind.Resumed : StageEventKind.Started));
        Execute(stage, ledger, started, context);
        RunManifest.Create(this, context).Write(context.Run.Manifest);
        context.Events.Report(new(stage.Name, StageEventKind.Finished));
    }

    static void Execute(Stage stage, StageLedger ledger, StageMarker started, StageContext context)
    {
        var start = context.Time.GetTimestamp();
        var inBlocks = 0.0;
        StageMarker Measure() =>
            started with
            {
                Seconds = started.Seconds + inBlocks + context.Time.GetElapsedTime(start).TotalSeconds,
            };
        try
        {
            if (context.Blocks is { } blocks && stage.IsMadeInBlocks(context))
            {
                inBlocks = blocks.Merge(stage);
            }
            else
            {
                stage.Execute(context);
            }
        }
        catch
        {
            ledger.RecordInterruption(stage, Measure());
            context.Events.Report(new(stage.Name, StageEventKind.Stopped));
            throw;
        }

        ledger.Complete(stage, Measure());
    }
}
