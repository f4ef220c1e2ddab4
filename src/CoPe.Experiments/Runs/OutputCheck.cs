namespace CoPe.Experiments.Runs;

/// <summary>Judges stages whose outputs are about to be read: what is out of date is not handed on in silence.</summary>
/// <param name="pipeline">The stages.</param>
/// <param name="context">The run.</param>
sealed class OutputCheck(Pipeline pipeline, StageContext context)
{
    readonly StageLedger _ledger = new(pipeline, context);

    /// <summary>Why a stage's outputs should not be read, and the command that mends it; null where they may be.</summary>
    public OutputProblem? FindProblem(StageId id)
    {
        var status = _ledger.GetStatus(pipeline.Find(id));
        return status.State == StageState.Complete ? null : CreateProblem(status);
    }

    /// <summary>
    /// The same of what one user's part needs: a stage that was interrupted has whole parts of the users it reached.
    /// </summary>
    public OutputProblem? FindProblemOfPart(StageId id)
    {
        var status = _ledger.GetStatus(pipeline.Find(id));
        return status.State is StageState.Complete or StageState.Interrupted ? null : CreateProblem(status);
    }

    /// <summary>Whether a run of the recipe has the stage.</summary>
    public bool IsInRecipe(StageId id) => pipeline.SelectStages(context.Recipe).Any(stage => stage.Id == id);

    OutputProblem CreateProblem(StageStatus status)
    {
        var run = context.Run.Name;
        var why = status.State switch
        {
            StageState.Interrupted => "was interrupted",
            StageState.Stale => $"is out of date ({string.Join("; ", status.Reasons)})",
            _ => "has not run",
        };
        return new(
            $"'{status.Stage.Name}' {why} in {run}: run '{FindCommand(status.Stage)} --run {run}'",
            status.State == StageState.Stale
        );
    }

    /// <summary>The stage's own command where all that it needs is there; else the one that also does that.</summary>
    string FindCommand(StageId id)
    {
        var missing = pipeline.Find(id).Needs(context.Recipe).Where(IsIncomplete).ToList();
        if (missing.Count == 0)
        {
            return id.Command;
        }

        return IsInRecipe(id) ? "cope run" : FindCommand(missing[0]);
    }

    bool IsIncomplete(StageId id) => _ledger.GetStatus(pipeline.Find(id)).State != StageState.Complete;
}

/// <summary>Why a stage's outputs should not be read.</summary>
/// <param name="Description">What changed or is missing, and the command that mends it.</param>
/// <param name="IsStale">
/// They are there and out of date, so that they can be read where the person says so.
/// </param>
sealed record OutputProblem(string Description, bool IsStale)
{
    /// <summary>Throws, unless the problem may be passed over, which then is said in the result.</summary>
    /// <exception cref="RunException">It may not.</exception>
    public string Accept(bool allowStale)
    {
        if (!IsStale)
        {
            throw new RunException($"{Description} first");
        }

        return allowStale
            ? $"out of date, used as it is: {Description} to renew it"
            : throw new RunException($"{Description} first, or use it as it is with --allow-stale");
    }
}
