namespace CoPe.Experiments.Runs.Blocks;

/// <summary>
/// A block that this process is at work in. It gives a sign of life until it is disposed. Where another process takes
/// the block because it saw none, the folder is renamed: then nothing more is written by this one, and its work stops.
/// </summary>
sealed class BlockClaim : IDisposable
{
    readonly Lock _gate = new();
    readonly BlockFolders _folders;
    readonly TimeProvider _time;
    readonly CancellationTokenSource _lost = new();
    readonly IDisposable _guard;
    readonly ITimer _timer;
    SignOfLife _sign;
    bool _isGivenUp;

    BlockClaim(BlockFolders folders, BlockFolder folder, SignOfLife sign, BlockWork work)
    {
        (_folders, Folder, _sign, _time) = (folders, folder, sign, work.Time);
        _guard = GuardedFolders.Add(folder.Run.Root, ThrowIfLost);
        _timer = work.Time.CreateTimer(_ => GiveSign(), null, work.SignInterval, work.SignInterval);
    }

    /// <summary>The block's folder.</summary>
    public BlockFolder Folder { get; }

    /// <summary>Whether another process has taken the block.</summary>
    public bool IsLost => !Directory.Exists(Folder.Run.Root);

    /// <summary>Canceled when another process has taken the block.</summary>
    public CancellationToken Lost => _lost.Token;

    /// <summary>Claims a block; null where another process was faster.</summary>
    /// <param name="folders">The blocks of the run.</param>
    /// <param name="block">The block.</param>
    /// <param name="seen">Its folder as it was seen; null for none.</param>
    /// <param name="work">Who claims it.</param>
    public static BlockClaim? TryTake(BlockFolders folders, int block, BlockFolder? seen, BlockWork work)
    {
        var claimed = folders.GetClaimed(block, (seen?.Claims ?? 0) + 1);
        var sign = work.CreateSign();
        var from = seen?.Run ?? folders.GetNew(block);
        if (seen is null)
        {
            AtomicFile.Remove(from.Root);
            sign.Write(from); // A folder with something in it is never replaced by a renamed one.
        }

        if (!TryRename(from, claimed))
        {
            if (seen is null)
            {
                AtomicFile.Remove(from.Root);
            }

            return null;
        }

        var folder = new BlockFolder(block, (seen?.Claims ?? 0) + 1, claimed);
        if (folders.List().GetValueOrDefault(block) is { } latest && latest.Run.Root != claimed.Root)
        {
            AtomicFile.Remove(claimed.Root); // What was seen was older than what is there.
            return null;
        }

        sign.Write(claimed);
        return new(folders, folder, sign, work);
    }

    /// <summary>Says which stage is at work.</summary>
    public void Begin(string stage)
    {
        lock (_gate)
        {
            _sign = _sign with { Stage = stage };
        }

        GiveSign();
    }

    /// <summary>Gives the block its name as a complete one.</summary>
    /// <exception cref="BlockLostException">Another process has taken it.</exception>
    public void Complete()
    {
        GiveUp();
        if (!TryRename(Folder.Run, _folders.GetComplete(Folder.Block)))
        {
            throw new BlockLostException(Folder.Run);
        }
    }

    /// <summary>Throws where another process has taken the block.</summary>
    /// <exception cref="BlockLostException">One has.</exception>
    public void ThrowIfLost()
    {
        if (IsLost)
        {
            throw new BlockLostException(Folder.Run);
        }
    }

    void GiveSign()
    {
        lock (_gate)
        {
            if (_isGivenUp)
            {
                return;
            }

            try
            {
                _sign = _sign with { Count = _sign.Count + 1, Written = _time.GetUtcNow() };
                _sign.Write(Folder.Run);
            }
            catch (BlockLostException)
            {
                _lost.Cancel();
            }
            catch (IOException)
            {
                // The next sign may come through; where none does, another process takes the block, and it is the same.
            }
        }
    }

    /// <summary>Ends the signs and takes back the last, so that the block is free at once.</summary>
    void GiveUp()
    {
        lock (_gate)
        {
            if (_isGivenUp)
            {
                return;
            }

            _isGivenUp = true;
            _timer.Dispose();
            _guard.Dispose();
            File.Delete(Folder.Run.SignOfLife);
        }
    }

    static bool TryRename(RunDirectory from, RunDirectory to)
    {
        try
        {
            Directory.Move(from.Root, to.Root);
            return true;
        }
        catch (IOException) when (!Directory.Exists(from.Root) || Directory.Exists(to.Root))
        {
            return false;
        }
    }

    public void Dispose()
    {
        try
        {
            GiveUp();
        }
        catch (IOException)
        {
            // It is another's by now, or the disk is gone: the block is taken up for want of signs.
        }

        _lost.Dispose();
    }
}

/// <summary>Who works at blocks, and how others see that they do.</summary>
sealed record BlockWork
{
    const int SignsUntilSilent = 5;

    /// <summary>The job of a scheduler; null outside of one.</summary>
    public string? Job { get; init; }

    /// <summary>After so long without a sign a block counts as given up, by the clock of whoever watches it.</summary>
    public TimeSpan SilentAfter { get; init; } = TimeSpan.FromSeconds(150);

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Time between two signs.</summary>
    public TimeSpan SignInterval => SilentAfter / SignsUntilSilent;

    /// <summary>The first sign of this process.</summary>
    public SignOfLife CreateSign() =>
        new()
        {
            Host = Environment.MachineName,
            Process = Environment.ProcessId,
            Job = Job,
            Started = Time.GetUtcNow(),
            Written = Time.GetUtcNow(),
        };
}

/// <summary>Another process has taken a block for want of a sign of life.</summary>
sealed class BlockLostException(RunDirectory block)
    : IOException($"{block.Name} was taken up by another process, which saw no sign of life of this one");
