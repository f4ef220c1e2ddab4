using CoPe.Experiments.Runs.Recipes;
using Microsoft.Extensions.Logging;

namespace CoPe.Experiments.Runs;

/// <summary>
/// Runs stages in order, each once per set of inputs. A stage whose marker names the same inputs is skipped; one that
/// was interrupted is resumed; one made from other inputs is removed and rebuilt, and the log says what changed.
/// </summary>
/// <param name="stages">Stages in order.</param>
public sealed class Pipeline(IReadOnlyList<Stage> stages)
{
    /// <summary>Work that took this long is only thrown away where the person says so.</summary>
    static readonly TimeSpan ExpensiveStage = TimeSpan.FromMinutes(10);

    /// <summary>The stages, in order.</summary>
    public IReadOnlyList<Stage> Stages { get; } = stages;

    /// <summary>
    /// Runs every stage of the recipe that is not complete, up to <paramref name="last"/> where one is named.
    /// </summary>
    /// <exception cref="RunException">
    /// A stage would be rebuilt that took long or was paid for; the message says what changed. Or an erasure was
    /// interrupted. Nothing was touched.
    /// </exception>
    public void Run(StageContext context, StageId? last = null)
    {
        ArgumentNullException.ThrowIfNull(context);
        ThrowIfUnusable(context);
        var end = last is null ? Stages[^1] : Find(last);
        var upToEnd = Stages.TakeWhile(stage => stage != end).Append(end);
        var due = upToEnd.Intersect(SelectStages(context.Recipe)).ToList();
        var ledger = new StageLedger(this, context);
        var before = due.Select(ledger.GetStatus).ToList();
        foreach (var status in before)
        {
            RefuseCostlyRebuild(status, context);
        }

        SaveRecipe(context.Workspace.Recipe, context.Run);
        // All of them before the first executes: an old table must not stand beside the new recipe while that takes
        // hours.
        foreach (var status in before.Where(status => status.State == StageState.Stale))
        {
            Discard(ledger, status, context);
        }

        foreach (var stage in due)
        {
            RunIfNeeded(stage, context, again: false);
        }
    }

    /// <summary>
    /// Reuses what other runs have made already: each stage that is missing here and complete there, from the same
    /// inputs, is copied. So runs that differ in one key share the stages before it.
    /// </summary>
    /// <returns>The stages that were copied.</returns>
    public IReadOnlyList<StageId> ReuseFrom(StageContext context, IEnumerable<RunDirectory> others)
    {
        ArgumentNullException.ThrowIfNull(context);
        ThrowIfUnusable(context);
        var run = context.Run;
        var sources = others.Where(other => other.Root != run.Root && !File.Exists(other.PendingErasure)).ToList();
        var hashed = sources.Find(source => File.Exists(source.FileHashes));
        if (hashed is not null && !File.Exists(run.FileHashes))
        {
            // A large model is hashed once.
            AtomicFile.WriteBytes(run.FileHashes, File.ReadAllBytes(hashed.FileHashes));
        }

        var ledger = new StageLedger(this, context);
        var copied = SelectStages(context.Recipe).Where(stage => ledger.ReuseFrom(stage, sources));
        return [.. copied.Select(stage => stage.Id)];
    }

    /// <summary>
    /// Runs one stage, or again where it is complete and <paramref name="again"/> is set. Its predecessors must be
    /// complete.
    /// </summary>
    /// <exception cref="RunException">
    /// A predecessor is not complete; the message names the command that runs it. Or the stage would be rebuilt without
    /// <paramref name="again"/>, and took long. Or an erasure was interrupted. Nothing was touched.
    /// </exception>
    public void RunStage(StageContext context, StageId id, bool again = false)
    {
        ArgumentNullException.ThrowIfNull(context);
        ThrowIfUnusable(context);
        var stage = Find(id);
        if (stage.ExplainUnused(context.Recipe) is { } reason)
        {
            throw new RunException(reason);
        }

        if (!File.Exists(context.Run.Recipe))
        {
            SaveRecipe(context.Workspace.Recipe, context.Run); // so that the command that is named first needs no recipe
        }

        var ledger = new StageLedger(this, context);
        foreach (var needed in stage.Needs(context.Recipe))
        {
            RequireComplete(stage, ledger.GetStatus(Find(needed)), context, ledger);
        }

        var status = ledger.GetStatus(stage);
        if (!again)
        {
            RefuseCostlyRebuild(status, context);
        }

        SaveRecipe(context.Workspace.Recipe, context.Run);
        if (status.State == StageState.Stale)
        {
            Discard(ledger, status, context);
        }

        RunIfNeeded(stage, context, again);
    }

    /// <summary>Where every stage of the recipe stands.</summary>
    public IReadOnlyList<StageStatus> GetStatus(StageContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var ledger = new StageLedger(this, context);
        return [.. SelectStages(context.Recipe).Select(ledger.GetStatus)];
    }

    /// <summary>Checks what <see cref="Run"/> checks before it begins, and does nothing.</summary>
    /// <exception cref="RunException">
    /// A stage would be rebuilt that took long or was paid for; the message says what changed.
    /// </exception>
    public void CheckWouldRebuild(StageContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        foreach (var status in GetStatus(context))
        {
            RefuseCostlyRebuild(status, context);
        }
    }

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
    internal static void SaveRecipe(Recipe recipe, RunDirectory run)
    {
        const string header =
            "# The recipe of this run with every value written out; "
            + "'cope' rewrites it when a run is started with another one.\n";
        var text = header + recipe.ToYaml();
        if (!File.Exists(run.Recipe) || File.ReadAllText(run.Recipe) != text)
        {
            AtomicFile.WriteText(run.Recipe, text);
        }
    }

    static void ThrowIfUnusable(StageContext context)
    {
        ErasureJournal.ThrowIfInterrupted(context.Run);
        context.Recipe.Validate();
    }

    void RefuseCostlyRebuild(StageStatus status, StageContext context)
    {
        if (context.AllowCostlyRebuild)
        {
            return;
        }

        if (Find(status.Stage).FindConflict(context, status) is { } conflict)
        {
            throw new RunException(conflict);
        }

        if (status.State != StageState.Stale || status.TimeSpent < ExpensiveStage)
        {
            return;
        }

        throw new RunException(
            $"'{status.Stage}' took {status.TimeSpent.TotalMinutes:0} minutes in {context.Run.Name} "
                + $"and would be rebuilt ({string.Join("; ", status.Reasons)}): name another folder with --run, "
                + "or throw that work away with --restart (in the stage's own verb --again)"
        );
    }

    void Discard(StageLedger ledger, StageStatus status, StageContext context)
    {
        context.Log.LogWarning("{Stage} starts again: {Reasons}", status.Stage, string.Join("; ", status.Reasons));
        ledger.Discard(Find(status.Stage));
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
            context.Events.Report(new(stage.Name, StageEventKind.Skipped));
            return;
        }

        var resumes = status.State == StageState.Interrupted;
        var started = ledger.Start(stage, keepPartial: resumes);
        context.Events.Report(new(stage.Name, resumes ? StageEventKind.Resumed : StageEventKind.Started));
        Execute(stage, ledger, started, context);
        RunManifest.Create(this, context).Write(context.Run.Manifest);
        context.Events.Report(new(stage.Name, StageEventKind.Finished));
    }

    static void Execute(Stage stage, StageLedger ledger, StageMarker started, StageContext context)
    {
        var start = context.Time.GetTimestamp();
        StageMarker Measure() =>
            started with
            {
                Seconds = started.Seconds + context.Time.GetElapsedTime(start).TotalSeconds,
            };
        try
        {
            stage.Execute(context);
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

/// <summary>Something that happened to a stage.</summary>
/// <param name="Stage">The stage's name, or that of other work which is shown in the same way.</param>
/// <param name="Kind">What happened.</param>
public sealed record StageEvent(string Stage, StageEventKind Kind);

/// <summary>What happened to a stage.</summary>
public enum StageEventKind
{
    /// <summary>It began.</summary>
    Started,

    /// <summary>It resumed where it had stopped.</summary>
    Resumed,

    /// <summary>It was complete already.</summary>
    Skipped,

    /// <summary>It is complete now.</summary>
    Finished,

    /// <summary>It was cancelled or failed.</summary>
    Stopped,
}
