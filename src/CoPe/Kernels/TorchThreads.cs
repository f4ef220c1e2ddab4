using System.Runtime.ExceptionServices;
using static TorchSharp.torch;

namespace CoPe.Kernels;

/// <summary>
/// Runs jobs side by side, each thread with one torch thread to itself. A small model's pass is hundreds of operations of a few microseconds, between which torch's own threads wait for
/// each other; whole passes do not wait.
/// </summary>
static class TorchThreads
{
    /// <summary>Bytes of weights up to which operations wait more than they compute.</summary>
    public const long SmallModel = 64 << 20;

    /// <summary>How many passes of a model to run side by side: one a thread where it is so small that its weights stay in the processor's caches; a larger one is better read once, by all threads together.</summary>
    public static int ForPasses(Device device, long weightBytes) => weightBytes <= SmallModel && device.type == TorchSharp.DeviceType.CPU ? get_num_threads() : 1;

    /// <summary>Threads that our own kernels use on this thread's behalf.</summary>
    public static int OfKernels => kernelThreads > 0 ? kernelThreads : get_num_threads();

    [ThreadStatic]
    static int kernelThreads;

    /// <summary>
    /// Until the result is disposed of, our kernels have torch's threads and torch itself has one. In a step of few rows the kernels do nearly all the work; torch's threads, woken for each small
    /// operation in between, would take the cores from them.
    /// </summary>
    public static Lease LeaveToKernels()
    {
        var own = get_num_threads();
        if (own == 1) return default;
        kernelThreads = own;
        set_num_threads(1);
        return new(own);
    }

    /// <summary>Gives torch its threads back.</summary>
    public readonly struct Lease(int threads) : IDisposable
    {
        /// <inheritdoc/>
        public void Dispose()
        {
            if (threads == 0) return;
            kernelThreads = 0;
            set_num_threads(threads);
        }
    }

    /// <summary>
    /// Results of all jobs, in order, whichever thread ran them. With one worker or one job they run on the caller's thread, and torch's own threads share each operation.
    /// The first failure is thrown once all threads have ended.
    /// </summary>
    /// <param name="workers">Threads.</param>
    /// <param name="jobs">Jobs, numbered from 0; a thread takes the next one when it is free.</param>
    /// <param name="run">Runs a job on a worker.</param>
    public static T[] Run<T>(int workers, int jobs, Func<int, int, T> run)
    {
        var results = new T[jobs];
        var done = new bool[jobs];
        var errors = new ExceptionDispatchInfo?[jobs];
        var next = -1;
        void Take(int worker)
        {
            for (var job = Interlocked.Increment(ref next); job < jobs; job = Interlocked.Increment(ref next))
            {
                try
                {
                    results[job] = run(worker, job);
                    done[job] = true;
                }
                catch (Exception error)
                {
                    errors[job] = ExceptionDispatchInfo.Capture(error);
                }
            }
        }

        workers = Math.Min(workers, jobs);
        if (workers <= 1) Take(0);
        else SideBySide(workers, Take);
        if (Array.Find(errors, error => error is not null) is not { } first) return results;
        for (var job = 0; job < jobs; job++)
            if (done[job]) (results[job] as IDisposable)?.Dispose();
        first.Throw();
        return results;
    }

    /// <summary>Runs the body once on each worker and waits for all; a body may not throw.</summary>
    public static void SideBySide(int workers, Action<int> body)
    {
        var own = get_num_threads();
        TorchThread.RunOnEach(workers, body);
        set_num_threads(own);
    }
}
