using CoPe.Experiments.Runs.Stages;
using Microsoft.Extensions.Logging;

namespace CoPe.Experiments.Runs;

/// <summary>
/// Runs stages in order, each once per set of inputs. A stage whose marker names the same inputs is skipped; one that
/// was interrupted goes on; one made from other inputs
/// is removed and made again, and the log says what changed.
/// </summary>
/// <param name="stages">Stages in order; <see cref="RunStages.All"/> unless a test has its own.</param>
public sealed class Pipeline(IReadOnlyList<Stage> stages)
{
    /// <summary>Work of this length and more is thrown away on request alone.</summary>
    static readonly TimeSpan ExpensiveStage = TimeSpan.FromMinutes(10);

    /// <summary>The stages, in order.</summary>
    public IReadOnlyList<Stage> Stages { get; } = stages;

    /// <summary>
    /// Runs every stage of the recipe that is not complete, up to <paramref name="last"/> where one is named.
    /// </summary>
    /// <exception cref="RunException">
    /// A stage would be made anew that took long or was paid for; the message says what changed. Or an erasure was
    /// interrupted. Nothing was touched.
    /// </exception>
    public void Run(StageContext context, string? last = null)
    {
        ArgumentNullException.ThrowIfNull(context);
        ErasureJournal.ThrowIfInterrupted(context.Run);
        var end = last is null ? Stages[^1] : Find(last);
        var due = Stages
            .TakeWhile(stage => stage != end)
            .Append(end)
            .Where(stage => stage.IsUsedBy(context.Recipe))
            .ToList();
        var ledger = new StageLedger(this, context);
        var before = due.Select(ledger.GetStatus).ToList();
        foreach (var status in before)
        {
            RefuseCostlyRebuild(status, context);
        }

        context.Recipe.SaveTo(context.Run);
        // All of them before the first works: an old table must not stand beside the new recipe while that takes hours.
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
    /// Takes over what other runs have made already: each stage that is missing here and complete there, from the same
    /// inputs, is copied. So runs that differ in one key share the stages before it.
    /// </summary>
    /// <returns>The stages taken over.</returns>
    public IReadOnlyList<string> ReuseFrom(StageContext context, IEnumerable<RunDirectory> others)
    {
        ArgumentNullException.ThrowIfNull(context);
        ErasureJournal.ThrowIfInterrupted(context.Run);
        var sources = others
            .Where(other => other.Root != context.Run.Root && !File.Exists(other.PendingErasure))
            .ToList();
        if (
            !File.Exists(context.Run.FileHashes) && sources.Find(source => File.Exists(source.FileHashes)) is { } hashed
        )
        {
            // A large model is hashed once.
            AtomicFile.WriteBytes(context.Run.FileHashes, File.ReadAllBytes(hashed.FileHashes));
        }

        var ledger = new StageLedger(this, context);
        return
        [
            .. Stages
                .Where(stage => stage.IsUsedBy(context.Recipe) && ledger.ReuseFrom(stage, sources))
                .Select(stage => stage.Name),
        ];
    }

    /// <summary>
    /// Runs one stage, or again where it is complete and <paramref name="again"/> is set. Its predecessors must be
    /// complete.
    /// </summary>
    /// <exception cref="RunException">
    /// A predecessor is not complete; the message names the command that runs it. Or the stage would be made anew
    /// without <paramref name="again"/>, and took long. Or an erasure was interrupted. Nothing was touched.
    /// </exception>
    public void RunStage(StageContext context, string name, bool again = false)
    {
        ArgumentNullException.ThrowIfNull(context);
        ErasureJournal.ThrowIfInterrupted(context.Run);
        var stage = Find(name);
        if (!File.Exists(context.Run.Recipe))
        {
            context.Recipe.SaveTo(context.Run); // so that the command that is named first needs no recipe
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

        context.Recipe.SaveTo(context.Run);
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
        return [.. Stages.Where(stage => stage.IsUsedBy(context.Recipe)).Select(ledger.GetStatus)];
    }

    /// <summary>Asks what <see cref="Run"/> asks before it begins, and does nothing.</summary>
    /// <exception cref="RunException">
    /// A stage would be made anew that took long or was paid for; the message says what changed.
    /// </exception>
    public void CheckWouldRebuild(StageContext context)
    {
        foreach (var status in GetStatus(context))
        {
            RefuseCostlyRebuild(status, context);
        }
    }

    /// <summary>The stage of a name.</summary>
    /// <exception cref="ArgumentException">There is none.</exception>
    public Stage Find(string name) =>
        Stages.FirstOrDefault(stage => stage.Name == name)
        ?? throw new ArgumentException(
            $"no stage '{name}'{NearestName.Hint(name, Stages.Select(stage => stage.Name))}",
            nameof(name)
        );

    void RefuseCostlyRebuild(StageStatus status, StageContext context)
    {
        if (context.AllowCostlyRebuild)
        {
            return;
        }

        if (Find(status.Stage).FindConflict(context, status) is { } objection)
        {
            throw new RunException(objection);
        }

        if (status.State != StageState.Stale || status.TimeSpent < ExpensiveStage)
        {
            return;
        }

        throw new RunException(
            $"'{status.Stage}' took {status.TimeSpent.TotalMinutes:0} minutes in {context.Run.Name} and would be made anew ({string.Join("; ", status.Reasons)}): "
                + "name another folder with --run, or throw that work away with --restart (in the stage's own verb --again)"
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

        var run = context.Run;
        var why = needed.State switch
        {
            StageState.Interrupted => "was interrupted",
            StageState.Stale => $"is out of date ({string.Join("; ", needed.Reasons)})",
            _ => "has not run",
        };
        var isNext = Find(needed.Stage)
            .Needs(context.Recipe)
            .All(before => ledger.GetStatus(Find(before)).State == StageState.Complete);
        throw new RunException(
            $"'{stage.Name}' needs '{needed.Stage}', which {why} in {run.Name}: run '{(isNext ? Find(needed.Stage).Command : "cope run")} --run {run.Name}' {(needed.State == StageState.Stale ? "with the same settings " : "")}first"
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

        var goesOn = status.State == StageState.Interrupted;
        var begun = ledger.Start(stage, keepPartial: goesOn);
        context.Events.Report(new(stage.Name, goesOn ? StageEventKind.Resumed : StageEventKind.Started));
        Execute(stage, ledger, begun, context);
        RunManifest.Create(this, context).Write(context.Run.Manifest);
        context.Events.Report(new(stage.Name, StageEventKind.Finished));
    }

    static void Execute(Stage stage, StageLedger ledger, StageMarker begun, StageContext context)
    {
        var start = context.Time.GetTimestamp();
        StageMarker Now() => begun with { Seconds = begun.Seconds + context.Time.GetElapsedTime(start).TotalSeconds };
        try
        {
            stage.Execute(context);
        }
        catch
        {
            ledger.RecordInterruption(stage, Now());
            context.Events.Report(new(stage.Name, StageEventKind.Stopped));
            throw;
        }

        ledger.Complete(stage, Now());
    }
}

/// <summary>Something that happened to a stage.</summary>
/// <param name="Stage">The stage's name.</param>
/// <param name="Kind">What happened.</param>
public sealed record StageEvent(string Stage, StageEventKind Kind);

/// <summary>What happened to a stage.</summary>
public enum StageEventKind
{
    /// <summary>It began.</summary>
    Started,

    /// <summary>It went on where it had stopped.</summary>
    Resumed,

    /// <summary>It was complete already.</summary>
    Skipped,

    /// <summary>It is complete now.</summary>
    Finished,

    /// <summary>It was cancelled or failed.</summary>
    Stopped,
}
