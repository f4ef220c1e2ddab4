namespace CoPe.Experiments.Runs;

/// <summary>
/// Judges stages whose outputs are about to be read: what is out of date is not handed on in silence.
/// </summary>
/// <param name="pipeline">The stages.</param>
/// <param name="context">The run.</param>
sealed class OutputCheck(Pipeline pipeline, StageContext context)
{
    readonly StageLedger _ledger = new(pipeline, context);

    /// <summary>
    /// Why a stage's outputs should not be read, and the command that mends it; null where they may be.
    /// </summary>
    public OutputProblem? FindProblem(StageId id)
    {
        var status = _ledger.GetStatus(pipeline.Find(id));
        return status.State == StageState.Complete ? null : CreateProblem(status);
    }

    /// <summary>
    /// The same of the parts of single users, which are current where the stage was interrupted, or where only other
    /// users changed.
    /// </summary>
    public PartProblem FindProblemOfParts(StageId id)
    {
        var status = _ledger.GetStatus(pipeline.Find(id));
        return status.State switch
        {
            StageState.Complete or StageState.Interrupted => PartProblem.None,
            StageState.UsersChanged => new(CreateProblem(status), status.Users.Changed),
            _ => new(CreateProblem(status), null),
        };
    }

    /// <summary>Whether a run of the recipe has the stage.</summary>
    public bool IsInRecipe(StageId id) => pipeline.SelectStages(context.Recipe).Any(stage => stage.Id == id);

    OutputProblem CreateProblem(StageStatus status)
    {
        var run = context.Run.Name;
        var why = status.State switch
        {
            StageState.Interrupted => "was interrupted",
            StageState.Stale or StageState.UsersChanged => $"is out of date ({string.Join("; ", status.Reasons)})",
            _ => "has not run",
        };
        return new(
            $"'{status.Stage.Name}' {why} in {run}: run '{FindCommand(status.Stage)} --run {run}'",
            status.State is StageState.Stale or StageState.UsersChanged
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

/// <summary>Why parts of a stage's outputs should not be read.</summary>
/// <param name="Problem">Why; null where all may be.</param>
/// <param name="Users">The users whose parts it is about; null for everyone's.</param>
sealed record PartProblem(OutputProblem? Problem, IReadOnlyList<string>? Users)
{
    /// <summary>Nothing is wrong.</summary>
    public static PartProblem None { get; } = new(null, null);

    /// <summary>The problem of a user's part; null for none.</summary>
    public OutputProblem? Of(string user) => OfFolder(RunDirectory.SafeName(user));

    /// <summary>The same of the user who has a folder of this name.</summary>
    public OutputProblem? OfFolder(string name) =>
        Users is null || Users.Any(id => RunDirectory.SafeName(id) == name) ? Problem : null;
}
