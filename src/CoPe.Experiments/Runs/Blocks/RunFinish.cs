namespace CoPe.Experiments.Runs.Blocks;

/// <summary>Ends a run that was made in blocks: puts them together, evaluates and reports.</summary>
/// <param name="pipeline">The stages.</param>
/// <param name="whole">The run of all users, whose lock is held.</param>
sealed class RunFinish(Pipeline pipeline, StageContext whole)
{
    /// <summary>Does it; what is done already is kept.</summary>
    /// <exception cref="RunException">Blocks are missing; the message has their numbers.</exception>
    public void Execute()
    {
        var stages = new BlockStages(pipeline, whole);
        var folders = new BlockFolders(whole.Run);
        if (!stages.AreMerged())
        {
            stages.RequireShared();
            RequireComplete(stages, folders);
        }

        var blocks = Enumerable.Range(0, whole.Workspace.Blocks.Count).Select(folders.GetComplete).ToList();
        var merge = Directory.Exists(whole.Run.Blocks) ? new BlockMerge(whole.Run, blocks) : null;
        pipeline.Run(whole with { Blocks = merge });
        AtomicFile.Remove(whole.Run.Blocks);
    }

    void RequireComplete(BlockStages stages, BlockFolders folders)
    {
        var found = folders.List();
        var count = whole.Workspace.Blocks.Count;
        var missing = Enumerable
            .Range(0, count)
            .Where(block => !stages.IsComplete(found.GetValueOrDefault(block)))
            .ToList();
        if (missing.Count > 0)
        {
            throw new RunException(
                $"{missing.Count} of {count} blocks of {whole.Run.Name} are not complete: "
                    + $"{ArrayExpression.Format(missing)}; 'cope run --run {whole.Run.Name} --shard I/{count}' makes "
                    + $"block I, 'cope shards ls {whole.Run.Name}' tells who is at work"
            );
        }
    }
}
