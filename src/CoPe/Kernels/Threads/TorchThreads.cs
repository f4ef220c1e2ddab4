using System.Runtime.ExceptionServices;
using static TorchSharp.torch;

namespace CoPe.Kernels.Threads;

/// <summary>
/// Runs jobs side by side, each thread with one torch thread to itself. A small model's pass is hundreds of operations
/// of a few microseconds, between which torch's own threads wait for each other; whole passes do not wait.
/// </summary>
static class TorchThreads
{
    /// <summary>Bytes of weights up to which operations wait more than they compute.</summary>
    public const long SmallModelBytes = 64 << 20;

    [ThreadStatic]
    static int _kernelThreads; // while they are lent to kernels, else 0

    /// <summary>
    /// How many passes of a model to run side by side: one a thread where it is so small that its weights stay in the
    /// processor's caches; a larger one is better read once, by all threads together.
    /// </summary>
    public static int CountForPasses(Device device, long weightBytes)
    {
        var isSmall = weightBytes <= SmallModelBytes && device.type == TorchSharp.DeviceType.CPU;
        return isSmall ? get_num_threads() : 1;
    }

    /// <summary>Threads that our own kernels use on this thread's behalf.</summary>
    public static int KernelThreadCount => _kernelThreads > 0 ? _kernelThreads : get_num_threads();

    /// <summary>
    /// Until the result is disposed, our kernels have torch's threads and torch itself has one. In a step of few rows
    /// the kernels do nearly all the work; torch's threads, woken for each small operation in between, would take the
    /// cores from them.
    /// </summary>
    public static Lease LendToKernels()
    {
        var threads = get_num_threads();
        if (threads == 1)
        {
            return default;
        }

        _kernelThreads = threads;
        set_num_threads(1);
        return new Lease(threads);
    }

    /// <summary>
    /// Until the result is disposed, torch and our kernels compute on this thread alone, as the threads of
    /// <see cref="Run"/> do: how often a result is divided among threads may show in its last bit.
    /// </summary>
    public static Lease UseOne()
    {
        var threads = get_num_threads();
        if (threads == 1)
        {
            return default;
        }

        set_num_threads(1);
        return new Lease(threads);
    }

    /// <summary>
    /// Until the result is disposed, torch and our kernels have so many threads, however many cores there are; null
    /// changes nothing.
    /// </summary>
    public static Lease Use(int? count)
    {
        var threads = get_num_threads();
        if (count is null || count == threads)
        {
            return default;
        }

        set_num_threads(count.Value);
        return new Lease(threads);
    }

    /// <summary>Returns torch its threads when disposed.</summary>
    internal readonly struct Lease(int threads) : IDisposable
    {
        public void Dispose()
        {
            if (threads == 0)
            {
                return;
            }

            _kernelThreads = 0;
            set_num_threads(threads);
        }
    }

    /// <summary>
    /// Results of all jobs, in order, whichever thread ran them. With one worker or one job they run on the caller's
    /// thread, and torch's own threads share each operation. The first failure is thrown once all threads have ended,
    /// and the other results are disposed.
    /// </summary>
    /// <param name="workers">Threads.</param>
    /// <param name="jobs">Jobs, numbered from 0; a thread takes the next one when it is free.</param>
    /// <param name="run">Runs a job (second) on a worker (first).</param>
    public static T[] Run<T>(int workers, int jobs, Func<int, int, T> run)
    {
        var results = new T[jobs];
        var succeeded = new bool[jobs];
        var errors = new ExceptionDispatchInfo?[jobs];
        var lastJob = -1;

        void RunJobs(int worker)
        {
            for (var job = Interlocked.Increment(ref lastJob); job < jobs; job = Interlocked.Increment(ref lastJob))
            {
                try
                {
                    results[job] = run(worker, job);
                    succeeded[job] = true;
                }
                catch (Exception error)
                {
                    errors[job] = ExceptionDispatchInfo.Capture(error);
                }
            }
        }

        workers = Math.Min(workers, jobs);
        if (workers <= 1)
        {
            RunJobs(0);
        }
        else
        {
            RunOnEachWorker(workers, RunJobs);
        }

        var firstError = Array.Find(errors, error => error is not null);
        if (firstError is null)
        {
            return results;
        }

        for (var job = 0; job < jobs; job++)
        {
            if (succeeded[job])
            {
                (results[job] as IDisposable)?.Dispose();
            }
        }

        firstError.Throw();
        return results;
    }

    /// <summary>Runs the body once on each worker and waits for all; a body may not throw.</summary>
    public static void RunOnEachWorker(int workers, Action<int> body)
    {
        var threads = get_num_threads();
        try
        {
            TorchWorker.RunOnEach(workers, body);
        }
        finally
        {
            set_num_threads(threads);
        }
    }
}

/// <summary>
/// A thread that runs jobs with one torch thread to itself and is kept for the next ones. glibc gives a new thread
/// whichever of its arenas is free, and each arena keeps the largest working set it ever served: threads that are
/// created for every step would grow a dozen of them, kept ones grow their own alone.
/// </summary>
sealed class TorchWorker
{
    static readonly Stack<TorchWorker> Idle = new();

    readonly object _gate = new();
    Action? _job; // null: idle

    TorchWorker() => new Thread(RunJobs) { IsBackground = true, Name = "torch" }.Start();

    /// <summary>Runs the body once on each of so many threads and waits for all; a body may not throw.</summary>
    public static void RunOnEach(int threads, Action<int> body)
    {
        var workers = new TorchWorker[threads];
        for (var i = 0; i < threads; i++)
        {
            workers[i] = Rent();
        }

        for (var i = 0; i < threads; i++)
        {
            workers[i].Start(body, i);
        }

        foreach (var worker in workers)
        {
            worker.Join();
        }

        lock (Idle)
        {
            // Last first, so that the next call gets the workers in the same order.
            for (var i = threads - 1; i >= 0; i--)
            {
                Idle.Push(workers[i]);
            }
        }
    }

    static TorchWorker Rent()
    {
        lock (Idle)
        {
            if (Idle.TryPop(out var idle))
            {
                return idle;
            }
        }

        return new TorchWorker();
    }

    void Start(Action<int> body, int number)
    {
        lock (_gate)
        {
            _job = () => body(number);
            Monitor.PulseAll(_gate);
        }
    }

    void Join()
    {
        lock (_gate)
        {
            while (_job is not null)
            {
                Monitor.Wait(_gate);
            }
        }
    }

    void RunJobs()
    {
        // A thread takes the process's setting at its first question or operation, whenever that is: here, before its
        // own is set.
        _ = get_num_threads();
        // This thread's own setting, but also that of threads to come: TorchThreads.RunOnEachWorker restores it.
        set_num_threads(1);
        while (true)
        {
            Action job;
            lock (_gate)
            {
                while (_job is null)
                {
                    Monitor.Wait(_gate);
                }

                job = _job;
            }

            job();
            lock (_gate)
            {
                _job = null;
                Monitor.PulseAll(_gate);
            }
        }
    }
}
