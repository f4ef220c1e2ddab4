using System.Diagnostics;
using System.Runtime.ExceptionServices;

namespace CoPe.Kernels.Threads;

/// <summary>
/// Threads that share the chunks of a kernel's work. A decoding step hands out work some hundred times a few hundred
/// microseconds apart, so that a thread that slept in between would spend most of the step waking up: these spin for a
/// moment before they park. Chunks go to whichever thread is free, and a thread that the machine does not run in time
/// is not waited for.
/// </summary>
static class WorkerTeam
{
    /// <summary>
    /// How long a thread spins: longer than what lies between two kernels of a step, short enough that a core is free
    /// again as soon as a decoding has ended.
    /// </summary>
    static readonly long SpinTicks = Stopwatch.Frequency / 2000;

    /// <summary>Value of <see cref="_activeWorkers"/> while no job is open.</summary>
    const int Closed = -1;

    static readonly object ParkLock = new();

    static int _busy; // 1 while a job is being run
    static int _workers; // threads besides the caller's
    static int _parkedWorkers;
    static int _jobNumber; // counts up with every job
    static int _activeWorkers = Closed; // workers inside the job, or closed

    static Action<int> _job = static _ => { };
    static int _chunkCount;
    static int _lastChunk; // the last one that was taken
    static Exception? _failure;

    /// <summary>
    /// Runs the body for each chunk 0 .. count - 1, on this thread and others. Where the team is busy already, with
    /// another caller's job or with the chunk that calls, on this thread alone. What a body throws is thrown here, once
    /// the other threads have ended; then not all chunks were run.
    /// </summary>
    public static void Run(int threads, int count, Action<int> body)
    {
        if (threads <= 1 || count <= 1 || Interlocked.CompareExchange(ref _busy, 1, 0) != 0)
        {
            for (var chunk = 0; chunk < count; chunk++)
            {
                body(chunk);
            }

            return;
        }

        try
        {
            while (_workers < threads - 1)
            {
                StartWorker();
            }

            RunJob(count, body);
        }
        finally
        {
            Volatile.Write(ref _busy, 0);
        }
    }

    static void RunJob(int count, Action<int> body)
    {
        _job = body;
        _chunkCount = count;
        _lastChunk = -1;
        _failure = null;
        Volatile.Write(ref _activeWorkers, 0); // workers may join
        Interlocked.Increment(ref _jobNumber);
        if (Volatile.Read(ref _parkedWorkers) > 0)
        {
            WakeParkedWorkers();
        }

        RunChunks();
        CloseJob();
        if (Volatile.Read(ref _failure) is { } failure)
        {
            ExceptionDispatchInfo.Throw(failure);
        }
    }

    /// <summary>
    /// No worker may join any more; those inside finish their chunk, for which a busy machine may have to give them
    /// this core.
    /// </summary>
    static void CloseJob()
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
        try
        {
            var chunk = Interlocked.Increment(ref _lastChunk);
            while (chunk < _chunkCount)
            {
                _job(chunk);
                chunk = Interlocked.Increment(ref _lastChunk);
            }
        }
        catch (Exception error)
        {
            Interlocked.CompareExchange(ref _failure, error, null);
            Volatile.Write(ref _lastChunk, _chunkCount); // nobody takes another
        }
    }

    static void StartWorker()
    {
        var lastJob = _jobNumber;
        _workers++;
        new Thread(() => RunWorker(lastJob)) { IsBackground = true, Name = $"kernel {_workers}" }.Start();
    }

    static void RunWorker(int lastJob)
    {
        while (true)
        {
            lastJob = WaitForJob(lastJob);
            if (TryJoinJob())
            {
                RunChunks();
                Interlocked.Decrement(ref _activeWorkers);
            }
        }
    }

    /// <summary>False where the job has been closed meanwhile.</summary>
    static bool TryJoinJob()
    {
        while (true)
        {
            var active = Volatile.Read(ref _activeWorkers);
            if (active == Closed)
            {
                return false;
            }

            if (Interlocked.CompareExchange(ref _activeWorkers, active + 1, active) == active)
            {
                return true;
            }
        }
    }

    /// <summary>Number of the next job after the last one that this thread has seen: spins, then parks.</summary>
    static int WaitForJob(int lastJob)
    {
        var end = Stopwatch.GetTimestamp() + SpinTicks;
        while (Stopwatch.GetTimestamp() < end)
        {
            var job = Volatile.Read(ref _jobNumber);
            if (job != lastJob)
            {
                return job;
            }

            Thread.SpinWait(1);
        }

        lock (ParkLock)
        {
            Interlocked.Increment(ref _parkedWorkers);
            while (Volatile.Read(ref _jobNumber) == lastJob)
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

/// <summary>Divides the rows of a weight matrix among the threads of a kernel.</summary>
static class RowPartition
{
    /// <summary>
    /// Most bytes of a chunk: half of a second-level cache, so that what is read once can be multiplied with all
    /// columns. Smaller chunks are too often prefetched past their end for nothing, larger ones delay the end on a busy
    /// core.
    /// </summary>
    const long MaxChunkBytes = 512 * 1024;

    /// <summary>Fewer bytes are read by the time that another thread has been woken.</summary>
    const long MinParallelBytes = 96 * 1024;

    /// <summary>Rows per chunk are a multiple of this, as the kernels take them.</summary>
    const int RowMultiple = 4;

    /// <summary>Runs the body for chunks <c>[first, end)</c> that make up all rows, as many for each thread.</summary>
    public static void Run(int rows, long bytesPerRow, int threads, Action<int, int> body)
    {
        var bytes = rows * bytesPerRow;
        long chunks = 1;
        if (bytes >= MinParallelBytes)
        {
            var chunksPerThread = (bytes - 1) / (threads * MaxChunkBytes) + 1;
            chunks = threads * chunksPerThread;
        }

        var exactRowsPerChunk = (rows + chunks - 1) / chunks;
        var rowsPerChunk = (int)(exactRowsPerChunk + RowMultiple - 1) / RowMultiple * RowMultiple;
        // Chunks go to whichever thread is free: with a fixed half for each the slower core would decide.
        WorkerTeam.Run(
            threads,
            (rows + rowsPerChunk - 1) / rowsPerChunk,
            chunk => body(chunk * rowsPerChunk, Math.Min(rows, (chunk + 1) * rowsPerChunk))
        );
    }
}
