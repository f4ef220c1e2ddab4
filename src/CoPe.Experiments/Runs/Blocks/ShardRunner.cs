using Microsoft.Extensions.Logging;

namespace CoPe.Experiments.Runs.Blocks;

/// <summary>
/// Makes the blocks of a shard, each in a folder of its own within the run. Those that are complete are skipped; those
/// that another process is at work in are left to it, as long as it gives signs of life.
/// </summary>
/// <param name="pipeline">The stages.</param>
/// <param name="whole">The run of all users.</param>
/// <param name="work">Who works, and how others see it.</param>
sealed class ShardRunner(Pipeline pipeline, StageContext whole, BlockWork work)
{
    readonly BlockFolders _folders = new(whole.Run);
    readonly Dictionary<int, (string Sign, long Since)> _watched = [];

    enum Outcome
    {
        Complete,
        AtWorkElsewhere,
        Watched,
    }

    /// <summary>Makes the blocks of a shard; returns those that others are at work in.</summary>
    /// <exception cref="RunException">
    /// What all users share is not complete, or the run cannot be made in blocks.
    /// </exception>
    /// <exception cref="OperationCanceledException">It was stopped; what is done is saved, and is free.</exception>
    public IReadOnlyList<int> Run(Shard shard)
    {
        var stages = new BlockStages(pipeline, whole);
        if (stages.AreMerged())
        {
            return [];
        }

        stages.RequireShared();
        using var threads = RunPlan.Follow(whole);
        var left = shard.SelectBlocks(whole.Workspace.Blocks.Count).ToList();
        var elsewhere = new List<int>();
        while (left.Count > 0)
        {
            var watched = new List<int>();
            foreach (var block in left)
            {
                var outcome = Make(block, stages);
                (outcome == Outcome.Watched ? watched : elsewhere).Add(block);
                if (outcome == Outcome.Complete)
                {
                    elsewhere.Remove(block);
                }
            }

            left = watched;
            if (left.Count > 0)
            {
                whole.Cancellation.WaitHandle.WaitOne(work.SignInterval / 10);
            }
        }

        return [.. elsewhere.Where(block => !stages.IsComplete(_folders.List().GetValueOrDefault(block)))];
    }

    Outcome Make(int block, BlockStages stages)
    {
        whole.Cancellation.ThrowIfCancellationRequested();
        var folder = _folders.List().GetValueOrDefault(block);
        if (stages.IsComplete(folder))
        {
            return Outcome.Complete;
        }

        if (folder?.ReadSign() is { } sign && !sign.IsOfEndedProcess() && Watch(folder, sign) is { } outcome)
        {
            return outcome;
        }

        using var claim = BlockClaim.TryTake(_folders, block, folder, work);
        return claim is not null && Make(claim) ? Outcome.Complete : Outcome.AtWorkElsewhere;
    }

    /// <summary>What becomes of a block with a sign of life; null where it has not changed for too long.</summary>
    Outcome? Watch(BlockFolder folder, SignOfLife sign)
    {
        var now = work.Time.GetTimestamp();
        var key = $"{folder.Claims} {sign.Host} {sign.Process} {sign.Count}";
        if (!_watched.TryGetValue(folder.Block, out var first))
        {
            _watched[folder.Block] = (key, now);
            return Outcome.Watched;
        }

        if (first.Sign != key)
        {
            return Outcome.AtWorkElsewhere;
        }

        return work.Time.GetElapsedTime(first.Since) < work.SilentAfter ? Outcome.Watched : null;
    }

    /// <summary>Makes a claimed block; false where another process has taken it meanwhile.</summary>
    bool Make(BlockClaim claim)
    {
        var block = claim.Folder;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(whole.Cancellation, claim.Lost);
        using var workspace = new RunWorkspace(
            whole.Workspace,
            block.Run,
            whole.Workspace.Blocks.GetUsers(block.Block)
        );
        try
        {
            var context = whole with
            {
                Workspace = workspace,
                Cancellation = stop.Token,
                Events = new StageSigns(claim, whole.Events),
                AllowCostlyRebuild = true, // of what was made by another recipe than the run has now
            };
            pipeline.RunBlock(context, whole.Run);
            claim.Complete();
            return true;
        }
        catch (Exception error)
            when (claim.IsLost && error is IOException or OperationCanceledException or RunException)
        {
            whole.Cancellation.ThrowIfCancellationRequested();
            whole.Log.LogWarning("{Error}", new BlockLostException(block.Run).Message);
            return false;
        }
    }

    /// <summary>Has the block's sign name the stage that begins.</summary>
    sealed class StageSigns(BlockClaim claim, IProgress<StageEvent> inner) : IProgress<StageEvent>
    {
        public void Report(StageEvent value)
        {
            if (value.Kind is StageEventKind.Started or StageEventKind.Resumed)
            {
                claim.Begin(value.Stage);
            }

            inner.Report(value);
        }
    }
}
