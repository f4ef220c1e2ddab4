using CoPe.Experiments.Runs;
using CoPe.Experiments.Runs.Recipes;

namespace CoPe.Testing;

/// <summary>A stage that writes one file and can be told to fail.</summary>
sealed class ToyStage(StageId id, IReadOnlyList<string> keys, params StageId[] needs) : Stage
{
    public int Executions { get; private set; }

    public Action<StageContext>? BeforeExecute { get; set; }

    /// <summary>Further files that it writes, by name within the run.</summary>
    public IReadOnlyList<string> ExtraOutputs { get; init; } = [];

    public override StageId Id => id;

    public override IReadOnlyList<string> RecipeKeys => keys;

    public InputKinds ReadFiles { get; set; } = InputKinds.Files;

    public string? Conflict { get; set; }

    /// <summary>What is wrong with its inputs; null where nothing is.</summary>
    public string? Problem { get; set; }

    public override InputKinds Reads => ReadFiles;

    internal override void CheckInputs(RunPreflight preflight)
    {
        if (Problem is not null)
        {
            throw new RunException(Problem);
        }
    }

    public override string? FindConflict(StageContext context, StageStatus status) => Conflict;

    public override IEnumerable<StageId> Needs(Recipe recipe) => needs;

    public override bool IsRequestedBy(Recipe recipe) => true;

    public override IEnumerable<StageOutput> Outputs(RunDirectory run) =>
        ExtraOutputs.Prepend(Name + ".out").Select(file => new TaskOutput(Path.Combine(run.Root, file)));

    public override void Execute(StageContext context)
    {
        Executions++;
        BeforeExecute?.Invoke(context);
        foreach (var output in Outputs(context.Run))
        {
            AtomicFile.WriteText(output.FullPath, Name);
        }
    }
}
