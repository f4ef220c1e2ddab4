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
    /// <summary>The stages, in order.</summary>
    public IReadOnlyList<Stage> Stages { get; } = stages;

    /// <summary>Runs every stage of the recipe that is not complete.</summary>
    public void Run(StageContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        foreach (var stage in Stages.Where(stage => stage.IsIn(context.Recipe))) RunOne(stage, new StageLedger(this, context), context, again: false);
    }

    /// <summary>Runs one stage, or again where it is complete and <paramref name="again"/> is set. Its predecessors must be complete.</summary>
    /// <exception cref="RunException">A predecessor is not complete; the message names the command that runs it.</exception>
    public void RunOnly(StageContext context, string name, bool again = false)
    {
        ArgumentNullException.ThrowIfNull(context);
        var stage = Find(name);
        var ledger = new StageLedger(this, context);
        foreach (var needed in stage.Needs(context.Recipe)) RequireComplete(stage, ledger.Status(Find(needed)), context.Run);
        RunOne(stage, ledger, context, again);
    }

    /// <summary>Where every stage of the recipe stands.</summary>
    public IReadOnlyList<StageStatus> Status(StageContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var ledger = new StageLedger(this, context);
        return [.. Stages.Where(stage => stage.IsIn(context.Recipe)).Select(ledger.Status)];
    }

    /// <summary>The stage of a name.</summary>
    /// <exception cref="ArgumentException">There is none.</exception>
    public Stage Find(string name) => Stages.FirstOrDefault(stage => stage.Name == name)
        ?? throw new ArgumentException($"no stage '{name}'{Nearest.Hint(name, Stages.Select(stage => stage.Name))}", nameof(name));

    static void RequireComplete(Stage stage, StageStatus needed, RunDirectory run)
    {
        if (needed.State == StageState.Complete) return;
        var why = needed.State switch
        {
            StageState.Interrupted => "was interrupted",
            StageState.Stale => $"is out of date ({string.Join("; ", needed.Reasons)})",
            _ => "has not run",
        };
        throw new RunException($"'{stage.Name}' needs '{needed.Stage}', which {why} in {run.Name}: run 'cope {needed.Stage} --run {run.Name}' first");
    }

    static void RunOne(Stage stage, StageLedger ledger, StageContext context, bool again)
    {
        context.Cancellation.ThrowIfCancellationRequested();
        var status = ledger.Status(stage);
        if (status.State == StageState.Complete && !again)
        {
            context.Log.LogInformation("{Stage}: complete, nothing to do", stage.Name);
            return;
        }

        if (status.State == StageState.Stale) context.Log.LogWarning("{Stage}: starting again, since {Reasons}", stage.Name, string.Join("; ", status.Reasons));
        if (status.State == StageState.Interrupted) context.Log.LogInformation("{Stage}: going on where it stopped", stage.Name);
        var begun = ledger.Begin(stage, keepPartial: status.State == StageState.Interrupted);
        var start = context.Time.GetTimestamp();
        var isDone = false;
        try
        {
            stage.Execute(context);
            isDone = true;
        }
        finally
        {
            ledger.End(stage, begun with { Seconds = begun.Seconds + context.Time.GetElapsedTime(start).TotalSeconds }, isDone);
        }
    }
}
