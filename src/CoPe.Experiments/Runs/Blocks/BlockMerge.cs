namespace CoPe.Experiments.Runs.Blocks;

/// <summary>Puts the outputs of a stage together from those of all blocks, in the order of the blocks.</summary>
/// <param name="run">The run of all users.</param>
/// <param name="blocks">The folders of its blocks.</param>
sealed class BlockMerge(RunDirectory run, IReadOnlyList<RunDirectory> blocks)
{
    /// <summary>
    /// Puts a stage's outputs into the run, as <c>cope run</c> would have written them. Interrupted, it is repeated.
    /// </summary>
    /// <returns>Seconds that the stage took in all blocks.</returns>
    public double Merge(Stage stage)
    {
        foreach (var output in stage.Outputs(blocks[0]))
        {
            var place = blocks[0].GetRelativePath(output.FullPath);
            Merge(output with { FullPath = Path.Combine(run.Root, place) });
        }

        return blocks.Sum(block => StageMarker.Read(block.Marker(stage.Id))?.Seconds ?? 0);
    }

    /// <summary>Puts one output of the run together.</summary>
    public void Merge(StageOutput output)
    {
        var place = run.GetRelativePath(output.FullPath);
        output.Merge([.. blocks.Select(block => Path.Combine(block.Root, place))]);
    }
}
