namespace CoPe.Experiments.Runs.Blocks;

/// <summary>Where a block stands.</summary>
/// <param name="Block">Its number, from 0.</param>
/// <param name="State">Where it stands.</param>
/// <param name="Sign">The last sign of life of whoever is or was at work in it.</param>
/// <param name="Age">How long ago that was written, by this machine's clock and that of the file system.</param>
sealed record BlockStatus(int Block, BlockState State, SignOfLife? Sign, TimeSpan Age)
{
    /// <summary>Where every block of a run stands; none where it is not made in blocks.</summary>
    public static IReadOnlyList<BlockStatus> List(Pipeline pipeline, StageContext whole)
    {
        if (!Directory.Exists(whole.Run.Blocks))
        {
            return [];
        }

        var stages = new BlockStages(pipeline, whole);
        var folders = new BlockFolders(whole.Run).List();
        return
        [
            .. Enumerable
                .Range(0, whole.Workspace.Blocks.Count)
                .Select(block => Find(block, folders.GetValueOrDefault(block), stages, whole.Time)),
        ];
    }

    static BlockStatus Find(int block, BlockFolder? folder, BlockStages stages, TimeProvider time)
    {
        if (folder?.ReadSign() is { } sign)
        {
            var age = time.GetUtcNow() - File.GetLastWriteTimeUtc(folder.Run.SignOfLife);
            var isSilent = age > new BlockWork().SilentAfter || sign.IsOfEndedProcess();
            return new(block, isSilent ? BlockState.Silent : BlockState.Running, sign, age);
        }

        return new(block, stages.IsComplete(folder) ? BlockState.Complete : BlockState.Missing, null, default);
    }
}

/// <summary>Where a block stands.</summary>
enum BlockState
{
    /// <summary>Not begun, given up, or made from other inputs.</summary>
    Missing,

    /// <summary>Somebody is at work in it.</summary>
    Running,

    /// <summary>Whoever was at work in it has given no sign of life for long: a shard takes it up.</summary>
    Silent,

    /// <summary>Whole and current.</summary>
    Complete,
}
