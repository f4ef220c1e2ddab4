namespace CoPe.Experiments.Runs.Blocks;

/// <summary>
/// The stages of a run that are made block by block, and those before them that all users share.
/// </summary>
/// <param name="pipeline">The stages.</param>
/// <param name="whole">The run of all users.</param>
sealed class BlockStages(Pipeline pipeline, StageContext whole)
{
    /// <summary>Stages whose outputs fall apart by users.</summary>
    public IReadOnlyList<Stage> InBlocks { get; } =
    [.. pipeline.SelectStages(whole.Recipe).Where(stage => stage.IsMadeInBlocks(whole))];

    /// <summary>Stages that these read and that are made once.</summary>
    public IReadOnlyList<Stage> Shared =>
        [.. InBlocks.SelectMany(stage => stage.Needs(whole.Recipe)).Distinct().Select(pipeline.Find).Except(InBlocks)];

    /// <summary>
    /// The stages that a block's folder has. The evaluation is made once for all users, but the likelihood of their own
    /// answers, which is most of its work, is a part of each: so every block evaluates its users.
    /// </summary>
    public IReadOnlyList<Stage> OfBlock =>
        [
            .. Shared,
            .. InBlocks,
            .. whole.Recipe.Evaluate.Likelihood
                ? pipeline.SelectStages(whole.Recipe).Where(stage => stage.Id == StageId.Evaluate)
                : [],
        ];

    /// <summary>Whether the blocks are put together already, and there is nothing to make in them.</summary>
    public bool AreMerged()
    {
        var ledger = new StageLedger(pipeline, whole);
        return InBlocks.All(stage => ledger.GetStatus(stage).State == StageState.Complete);
    }

    /// <summary>Checks that the run can be made in blocks at all.</summary>
    /// <exception cref="RunException">It cannot.</exception>
    public void RequireSeparable()
    {
        if (Shared.Any(stage => stage.Id == StageId.SampleNegatives))
        {
            throw new RunException(
                $"negatives.kind is {whole.Recipe.Negatives.Kind.ToString().ToLowerInvariant()}, which takes texts of "
                    + "users of all blocks: run it whole with 'cope run', or set negatives.kind=pseudo"
            );
        }

        var begun = InBlocks.FirstOrDefault(stage =>
            File.Exists(whole.Run.Marker(stage.Id)) || File.Exists(whole.Run.StartedMarker(stage.Id))
        );
        if (begun is not null && !Directory.Exists(whole.Run.Blocks))
        {
            throw new RunException(
                $"'{begun.Id}' of {whole.Run.Name} was made or begun whole: go on with 'cope run --run "
                    + $"{whole.Run.Name}', or make a run in blocks in another folder"
            );
        }
    }

    /// <summary>Checks that blocks can be made: what they share is complete, by a plan.</summary>
    /// <exception cref="RunException">It is not; the message names the command that makes it.</exception>
    public void RequireShared()
    {
        RequireSeparable();
        var ledger = new StageLedger(pipeline, whole);
        var due = Shared.FirstOrDefault(stage => ledger.GetStatus(stage).State != StageState.Complete);
        if (due is not null || RunPlan.Read(whole.Run) is null)
        {
            var what = due is null ? "plan.json" : $"'{due.Id}'";
            throw new RunException(
                $"{what}, which the blocks of {whole.Run.Name} share, is not complete: "
                    + $"run 'cope shards prepare --run {whole.Run.Name}' first"
            );
        }
    }

    /// <summary>Whether a block was made completely, from what the run is made from now.</summary>
    public bool IsComplete(BlockFolder? block)
    {
        if (block is not { Claims: null } || block.Block >= whole.Workspace.Blocks.Count)
        {
            return false;
        }

        using var workspace = new RunWorkspace(
            whole.Workspace,
            block.Run,
            whole.Workspace.Blocks.GetUsers(block.Block)
        );
        var ledger = new StageLedger(pipeline, whole with { Workspace = workspace });
        return OfBlock.All(ledger.IsMadeFromCurrentInputs);
    }
}
