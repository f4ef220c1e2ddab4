using CoPe.Runs.Privacy;
using CoPe.Runs.Recipes;
using Microsoft.Extensions.Logging;

namespace CoPe.Runs;

/// <summary>
/// Runs stages in order, each once per set of inputs. A stage whose marker names the same inputs is skipped; one that was interrupted goes on; one made from other inputs
/// is removed and made again, and the log says what changed.
/// </summary>
/// <param name="stages">Stages in order; <see cref="StageList.All"/> unless a test has its own.</param>
public sealed class Pipeline(IReadOnlyList<Stage> stages)
{
    /// <summary>Work of this length and more is thrown away on request alone.</summary>
    static readonly TimeSpan Precious = TimeSpan.FromMinutes(10);

    /// <summary>The stages, in order.</summary>
    public IReadOnlyList<Stage> Stages { get; } = stages;

    /// <summary>Runs every stage of the recipe that is not complete, up to <paramref name="last"/> where one is named.</summary>
    /// <exception cref="RunException">A stage would be made anew that took long or was paid for; the message says what changed. Or an erasure was interrupted. Nothing was touched.</exception>
    public void Run(StageContext context, string? last = null)
    {
        ArgumentNullException.ThrowIfNull(context);
        ErasureNote.RequireNone(context.Run);
        var end = last is null ? Stages[^1] : Find(last);
        var due = Stages.TakeWhile(stage => stage != end).Append(end).Where(stage => stage.IsIn(context.Recipe)).ToList();
        var ledger = new StageLedger(this, context);
        var before = due.Select(ledger.Status).ToList();
        foreach (var status in before) KeepWork(status, context);
        context.Recipe.Keep(context.Run);
        // All of them before the first works: an old table must not stand beside the new recipe while that takes hours.
        foreach (var status in before.Where(status => status.State == StageState.Stale)) Discard(ledger, status, context);
        foreach (var stage in due) RunOne(stage, context, again: false);
    }

    /// <summary>
    /// Takes over what other runs have made already: each stage that is missing here and complete there, from the same inputs, is copied. So runs that differ in one key share the stages before it.
    /// </summary>
    /// <returns>The stages taken over.</returns>
    public IReadOnlyList<string> TakeOver(StageContext context, IEnumerable<RunDirectory> others)
    {
        ArgumentNullException.ThrowIfNull(context);
        ErasureNote.RequireNone(context.Run);
        var sources = others.Where(other => other.Root != context.Run.Root && !File.Exists(other.Erasure)).ToList();
        if (!File.Exists(context.Run.FileHashes) && sources.Find(source => File.Exists(source.FileHashes)) is { } hashed)
            AtomicFile.WriteBytes(context.Run.FileHashes, File.ReadAllBytes(hashed.FileHashes)); // a large model is hashed once
        var ledger = new StageLedger(this, context);
        return [.. Stages.Where(stage => stage.IsIn(context.Recipe) && ledger.TakeOver(stage, sources)).Select(stage => stage.Name)];
    }

    /// <summary>Runs one stage, or again where it is complete and <paramref name="again"/> is set. Its predecessors must be complete.</summary>
    /// <exception cref="RunException">A predecessor is not complete; the message names the command that runs it. Or the stage would be made anew without <paramref name="again"/>, and took long. Or an erasure was interrupted. Nothing was touched.</exception>
    public void RunOnly(StageContext context, string name, bool again = false)
    {
        ArgumentNullException.ThrowIfNull(context);
        ErasureNote.RequireNone(context.Run);
        var stage = Find(name);
        if (!File.Exists(context.Run.Recipe)) context.Recipe.Keep(context.Run); // so that the command that is named first needs no recipe
        var ledger = new StageLedger(this, context);
        foreach (var needed in stage.Needs(context.Recipe)) RequireComplete(stage, ledger.Status(Find(needed)), context, ledger);
        var status = ledger.Status(stage);
        if (!again) KeepWork(status, context);
        context.Recipe.Keep(context.Run);
        if (status.State == StageState.Stale) Discard(ledger, status, context);
        RunOne(stage, context, again);
    }

    /// <summary>Where every stage of the recipe stands.</summary>
    public IReadOnlyList<StageStatus> Status(StageContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var ledger = new StageLedger(this, context);
        return [.. Stages.Where(stage => stage.IsIn(context.Recipe)).Select(ledger.Status)];
    }

    /// <summary>Asks what <see cref="Run"/> asks before it begins, and does nothing.</summary>
    /// <exception cref="RunException">A stage would be made anew that took long or was paid for; the message says what changed.</exception>
    public void Judge(StageContext context)
    {
        foreach (var status in Status(context)) KeepWork(status, context);
    }

    /// <summary>The stage of a name.</summary>
    /// <exception cref="ArgumentException">There is none.</exception>
    public Stage Find(string name) => Stages.FirstOrDefault(stage => stage.Name == name)
        ?? throw new ArgumentException($"no stage '{name}'{NearestName.Hint(name, Stages.Select(stage => stage.Name))}", nameof(name));

    void KeepWork(StageStatus status, StageContext context)
    {
        if (context.Restarts) return;
        if (Find(status.Stage).Objection(context, status) is { } objection) throw new RunException(objection);
        if (status.State != StageState.Stale || status.Spent < Precious) return;
        throw new RunException($"'{status.Stage}' took {status.Spent.TotalMinutes:0} minutes in {context.Run.Name} and would be made anew ({string.Join("; ", status.Reasons)}): "
            + "name another folder with --run, or throw that work away with --restart (in the stage's own verb --again)");
    }

    void Discard(StageLedger ledger, StageStatus status, StageContext context)
    {
        context.Log.LogWarning("{Stage} starts again: {Reasons}", status.Stage, string.Join("; ", status.Reasons));
        ledger.Discard(Find(status.Stage));
    }

    void RequireComplete(Stage stage, StageStatus needed, StageContext context, StageLedger ledger)
    {
        if (needed.State == StageState.Complete) return;
        var run = context.Run;
        var why = needed.State switch
        {
            StageState.Interrupted => "was interrupted",
            StageState.Stale => $"is out of date ({string.Join("; ", needed.Reasons)})",
            _ => "has not run",
        };
        var isNext = Find(needed.Stage).Needs(context.Recipe).All(before => ledger.Status(Find(before)).State == StageState.Complete);
        throw new RunException($"'{stage.Name}' needs '{needed.Stage}', which {why} in {run.Name}: run '{(isNext ? Find(needed.Stage).Command : "cope run")} --run {run.Name}' {(needed.State == StageState.Stale ? "with the same settings " : "")}first");
    }

    void RunOne(Stage stage, StageContext context, bool again)
    {
        context.Cancellation.ThrowIfCancellationRequested();
        var ledger = new StageLedger(this, context);
        var status = ledger.Status(stage);
        if (status.State == StageState.Complete && !again)
        {
            context.Events.Report(new(stage.Name, StageEventKind.Skipped));
            return;
        }

        var goesOn = status.State == StageState.Interrupted;
        var begun = ledger.Begin(stage, keepPartial: goesOn);
        context.Events.Report(new(stage.Name, goesOn ? StageEventKind.WentOn : StageEventKind.Began));
        Work(stage, ledger, begun, context);
        RunManifest.Of(this, context).Write(context.Run.Manifest);
        context.Events.Report(new(stage.Name, StageEventKind.Finished));
    }

    static void Work(Stage stage, StageLedger ledger, StageMarker begun, StageContext context)
    {
        var start = context.Time.GetTimestamp();
        StageMarker Now() => begun with { Seconds = begun.Seconds + context.Time.GetElapsedTime(start).TotalSeconds };
        try
        {
            stage.Execute(context);
        }
        catch
        {
            ledger.Interrupt(stage, Now());
            context.Events.Report(new(stage.Name, StageEventKind.Stopped));
            throw;
        }

        ledger.Complete(stage, Now());
    }
}
