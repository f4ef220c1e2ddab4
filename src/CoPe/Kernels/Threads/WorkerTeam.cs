using System.Diagnostics;

namespace CoPe.Kernels.Threads;

/// <summary>
/// Threads that share the pieces of a kernel's work. A decoding step hands out work some hundred times a few hundred
/// microseconds apart, so that a thread that slept in between would
/// spend most of the step waking up: these wait awake for a moment before they sleep. Pieces go to whoever is free, and
/// a thread that the machine does not run in time is not waited for.
/// </summary>
static class WorkerTeam
{
    /// <summary>
    /// How long a thread waits awake: longer than what lies between two kernels of a step, short enough that a core is
    /// free again as soon as a decoding has ended.
    /// </summary>
    static readonly long SpinTicks = Stopwatch.Frequency / 2000;

    const int Closed = -1;

    static int _busy; // 1 while somebody's job is being done
    static readonly object ParkLock = new();
    static int _workers; // threads besides the caller's
    static int _parkedWorkers;
    static int _jobNumber; // counts up with every job
    static int _activeWorkers = Closed; // members inside the job, or closed

    static Action<int> _job = static _ => { };
    static int _chunkCount;
    static int _lastChunk;

    /// <summary>
    /// Runs the body for each piece 0 .. count - 1, on this thread and others. Where the team is at work already, for
    /// somebody else or for the piece that calls, on this one alone. A body may not throw.
    /// </summary>
    public static void Run(int threads, int count, Action<int> body)
    {
        if (threads <= 1 || count <= 1 || Interlocked.CompareExchange(ref _busy, 1, 0) != 0)
        {
            for (var piece = 0; piece < count; piece++)
            {
                body(piece);
            }

            return;
        }
        try
        {
            while (_workers < threads - 1)
            {
                StartWorker();
            }

            (_job, _chunkCount, _lastChunk) = (body, count, -1);
            Volatile.Write(ref _activeWorkers, 0);
            Interlocked.Increment(ref _jobNumber);
            if (Volatile.Read(ref _parkedWorkers) > 0)
            {
                WakeParkedWorkers();
            }

            RunChunks();
            WaitForActiveWorkers();
        }
        finally
        {
            Volatile.Write(ref _busy, 0);
        }
    }

    /// <summary>
    /// Nobody new may come in; those inside finish their piece, for which a busy machine may have to give them this
    /// core.
    /// </summary>
    static void WaitForActiveWorkers()
    {
        for (var waited = 0; Interlocked.CompareExchange(ref _activeWorkers, Closed, 0) != 0; waited++)
        {
            if (waited < 1000)
            {
                Thread.SpinWait(1);
            }
            else
            {
                Thread.Yield();
            }
        }
    }

    static void RunChunks()
    {
        for (
            var piece = Interlocked.Increment(ref _lastChunk);
            piece < _chunkCount;
            piece = Interlocked.Increment(ref _lastChunk)
        )
        {
            _job(piece);
        }
    }

    static void StartWorker()
    {
        var seen = _jobNumber;
        new Thread(() => RunWorker(seen)) { IsBackground = true, Name = $"kernel {++_workers}" }.Start();
    }

    static void RunWorker(int seen)
    {
        while (true)
        {
            seen = WaitForJob(seen);
            if (!TryJoinJob())
            {
                continue;
            }

            RunChunks();
            Interlocked.Decrement(ref _activeWorkers);
        }
    }

    static bool TryJoinJob()
    {
        while (true)
        {
            var inside = Volatile.Read(ref _activeWorkers);
            if (inside == Closed)
            {
                return false;
            }

            if (Interlocked.CompareExchange(ref _activeWorkers, inside + 1, inside) == inside)
            {
                return true;
            }
        }
    }

    static int WaitForJob(int seen)
    {
        for (var end = Stopwatch.GetTimestamp() + SpinTicks; Stopwatch.GetTimestamp() < end;)
        {
            if (Volatile.Read(ref _jobNumber) != seen)
            {
                return Volatile.Read(ref _jobNumber);
            }

            Thread.SpinWait(1);
        }
        lock (ParkLock)
        {
            Interlocked.Increment(ref _parkedWorkers);
            while (Volatile.Read(ref _jobNumber) == seen)
            {
                Monitor.Wait(ParkLock);
            }

            Interlocked.Decrement(ref _parkedWorkers);
        }
        return Volatile.Read(ref _jobNumber);
    }

    static void WakeParkedWorkers()
    {
        lock (ParkLock)
        {
            Monitor.PulseAll(ParkLock);
        }
    }
}

/// <summary>Shares the rows of a weight matrix among the threads of a kernel.</summary>
static class RowPartition
{
    /// <summary>
    /// Most bytes of a piece: half of a second cache, so that what is read once can be met by all columns. A smaller
    /// one is read at its beginning and fetched past its end too often for nothing,
    /// a larger one delays the end on a busy core.
    /// </summary>
    const long MaxChunkBytes = 512 * 1024;

    /// <summary>Fewer bytes are read by the time that another thread has heard of them.</summary>
    const long MinParallelBytes = 96 * 1024;

    /// <summary>Rows per piece are a multiple of this, as the kernels take them.</summary>
    const int RowMultiple = 4;

    /// <summary>Runs the body for pieces <c>[first, end)</c> that make up all rows, as many for each thread.</summary>
    public static void Run(int rows, long bytesPerRow, int threads, Action<int, int> body)
    {
        var bytes = rows * bytesPerRow;
        var pieces = bytes < MinParallelBytes ? 1 : threads * ((bytes - 1) / (threads * MaxChunkBytes) + 1);
        var rowsPerPiece = (int)((rows + pieces - 1) / pieces + RowMultiple - 1) / RowMultiple * RowMultiple;
        // Pieces go to whoever is free: with a fixed half for each the slower core would decide.
        WorkerTeam.Run(
            threads,
            (rows + rowsPerPiece - 1) / rowsPerPiece,
            piece => body(piece * rowsPerPiece, Math.Min(rows, (piece + 1) * rowsPerPiece))
        );
    }
}
