using CoPe.Decoding;
using CoPe.Experiments.Negatives;
using CoPe.Experiments.Runs.Blocks;
using CoPe.Experiments.Runs.Recipes;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace CoPe.Experiments.Runs;

/// <summary>
/// One step of a run. It says what it depends on, so that the pipeline can tell whether its outputs are whole and
/// current; it does its work in <see cref="Execute"/>, writing every file aside and renaming it
/// (<see cref="AtomicFile"/>), and when it is started again over its own partial outputs, resumes from them.
/// </summary>
public abstract class Stage
{
    /// <summary>Which stage it is.</summary>
    public abstract StageId Id { get; }

    /// <summary>Its name for people: <c>train tam</c>.</summary>
    public string Name => Id.Name;

    /// <summary>
    /// Keys and sections of the recipe its outputs depend on, for example <c>seed</c>, <c>dpo</c>,
    /// <c>decode.contrast</c>. Paths of files are none of them: files count by their content.
    /// </summary>
    public abstract IReadOnlyList<string> RecipeKeys { get; }

    /// <summary>The same under a recipe, which may have the stage do something else.</summary>
    internal virtual IReadOnlyList<string> GetRecipeKeys(Recipe recipe) => RecipeKeys;

    /// <summary>
    /// Files of an adapter that was made elsewhere and that the stage copies into the run; those of users are parts of
    /// the users (<see cref="UserParts.Adapter"/>).
    /// </summary>
    internal virtual IEnumerable<InputFile> ListImportedFiles(StageContext context) => [];

    /// <summary>Kinds of files it reads.</summary>
    public virtual InputKinds Reads => InputKinds.Files;

    /// <summary>
    /// What it reads of each user, where its outputs fall apart by users: then a user more, or a user whose part
    /// changed, adds or replaces that part and leaves the others. None where it reads no user, or all of them together.
    /// </summary>
    internal virtual UserParts ReadsOfUser(Recipe recipe) => UserParts.None;

    /// <summary>Whether it can be made block by block: its outputs are nothing but parts of users.</summary>
    internal bool IsMadeInBlocks(StageContext context) =>
        ReadsOfUser(context.Recipe) != UserParts.None && Outputs(context.Run).All(output => output.FallsApart);

    /// <summary>The stages whose outputs it reads, under this recipe.</summary>
    public virtual IEnumerable<StageId> Needs(Recipe recipe) => [];

    /// <summary>
    /// Whether a run of this recipe is made for the stage's outputs. Other stages are part of it only where one of
    /// these needs them.
    /// </summary>
    public virtual bool IsRequestedBy(Recipe recipe) => false;

    /// <summary>
    /// Files and folders it writes, which it owns alone: they must exist once it is complete, and are removed before it
    /// runs on other inputs.
    /// </summary>
    public abstract IEnumerable<StageOutput> Outputs(RunDirectory run);

    /// <summary>Kinds of inputs that <see cref="RebuildWithoutUser"/> needs.</summary>
    public virtual InputKinds RebuildReads => InputKinds.None;

    /// <summary>
    /// Writes the outputs that hold all users together again (<see cref="UserFigures"/>), from what is left after a
    /// user was erased. Stages without such outputs have nothing to do.
    /// </summary>
    public virtual void RebuildWithoutUser(StageContext context) { }

    /// <summary>
    /// Everything it writes that may hold users: its outputs, and its metrics where they are none of these.
    /// </summary>
    internal IEnumerable<StageOutput> GetUserOutputs(RunDirectory run)
    {
        var outputs = Outputs(run).ToList();
        var metrics = run.Metrics(Id);
        return outputs.Any(output => output.FullPath == metrics) ? outputs : [.. outputs, new UserLines(metrics)];
    }

    /// <summary>
    /// Files beside its checkpoints that keep what is done of a user when other users come or go before it is complete.
    /// </summary>
    internal virtual IEnumerable<StageOutput> PartialOutputs(RunDirectory run) => [];

    /// <summary>
    /// Why the stage must not be run as it stands, for reasons of its own: what is there, and what to do; null where it
    /// may. Does not matter where the person has said that what is there may go.
    /// </summary>
    public virtual string? FindConflict(StageContext context, StageStatus status) => null;

    /// <summary>Why a run of this recipe has no use for the stage, in words; null where it may be run.</summary>
    internal virtual string? ExplainUnused(Recipe recipe) => null;

    /// <summary>Whether the stage's outputs are in a file of negatives that is imported.</summary>
    internal virtual bool TakesImport(ImportedNegatives imported) => false;

    /// <summary>
    /// Opens and checks what the stage will read, before anything of the run changes. Throws what its execution would.
    /// </summary>
    internal virtual void CheckInputs(RunPreflight preflight) { }

    /// <summary>
    /// Does the work. It checks often for cancellation; then what is done is saved and
    /// <see cref="OperationCanceledException"/> thrown.
    /// </summary>
    public abstract void Execute(StageContext context);
}

/// <summary>What a stage is given: the recipe, where things lie, and who is told of its progress.</summary>
public sealed record StageContext
{
    /// <summary>
    /// The run, its inputs and what is loaded of them. The caller of the pipeline owns it.
    /// </summary>
    public required RunWorkspace Workspace { get; init; }

    /// <summary>
    /// The recipe that stages are run with: the run's own, but where a stage is to do a part of it
    /// (<see cref="Stages.PredictedMethods"/>).
    /// </summary>
    public Recipe Recipe
    {
        get => field ?? Workspace.Recipe;
        init;
    }

    /// <summary>The run's paths.</summary>
    public RunDirectory Run => Workspace.Run;

    /// <summary>Where the recipe's model, data and prompt really lie.</summary>
    public InputPaths Inputs => Workspace.Inputs;

    /// <summary>What of this machine and process results depend on.</summary>
    internal RunEnvironment Environment
    {
        get => field ??= RunEnvironment.Capture(Workspace);
        init;
    }

    /// <summary>The command line that this is the work of, for messages; null where there is none.</summary>
    internal string? Command { get; init; }

    /// <summary>
    /// Folder within the run whose content takes the place of the run's data once the stages are built from it; null
    /// where the run's data stay.
    /// </summary>
    internal string? IncomingData { get; init; }

    /// <summary>
    /// Stages that were made from other inputs are rebuilt however long they took, and whatever they cost.
    /// </summary>
    public bool AllowCostlyRebuild { get; init; }

    /// <summary>Reads also what is out of date, where something is read and no stage is run.</summary>
    public bool AllowStale { get; init; }

    /// <summary>
    /// The blocks that the run was made in, whose outputs are put together in the place of making them; null makes
    /// them.
    /// </summary>
    internal BlockMerge? Blocks { get; init; }

    /// <summary>Draws candidates elsewhere; null draws them here, from the task-adaptive model.</summary>
    public CandidateEndpoint? CandidateEndpoint { get; init; }

    /// <summary>Candidates, and perhaps selections, of a file of the reference; null for none.</summary>
    internal ImportedNegatives? ImportedNegatives { get; init; }

    /// <summary>Takes where the time of decoding goes; null measures nothing.</summary>
    public DecodingTrace? Trace { get; init; }

    /// <summary>Where progress goes.</summary>
    public IProgress<StageProgress> Progress { get; init; } = new Ignored<StageProgress>();

    /// <summary>Told when a stage begins and ends.</summary>
    public IProgress<StageEvent> Events { get; init; } = new Ignored<StageEvent>();

    /// <summary>Where messages go.</summary>
    public ILogger Log { get; init; } = NullLogger.Instance;

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Asks for an early end, with everything saved.</summary>
    public CancellationToken Cancellation { get; init; }

    sealed class Ignored<T> : IProgress<T>
    {
        public void Report(T value) { }
    }
}
