using System.Runtime.ExceptionServices;
using static TorchSharp.torch;

namespace CoPe.Training;

/// <summary>
/// Threads that run the passes of a step side by side, each on its own replica and with one torch thread: the many small operations of a pass leave a second thread idle
/// half of the time, whole passes do not. Results come in the order of the passes, whoever ran them. Owns threads and replicas.
/// </summary>
internal sealed class PassWorkers : IDisposable
{
    readonly TrainingReplica[] replicas;
    readonly Thread[] threads;
    readonly SemaphoreSlim work = new(0);
    readonly SemaphoreSlim done = new(0);
    Action<TrainingReplica> task = _ => { };
    bool stopping;

    /// <param name="replicate">Makes one worker's replica.</param>
    /// <param name="count">Number of workers; with one, passes run on the caller's thread and torch's own threads share each operation.</param>
    public PassWorkers(Func<TrainingReplica> replicate, int count)
    {
        replicas = [.. Enumerable.Range(0, count).Select(_ => replicate())];
        threads = count == 1 ? [] : [.. replicas.Select(replica => new Thread(() => Serve(replica)) { IsBackground = true, Name = "training pass" })];
        var torchThreads = get_num_threads();
        foreach (var thread in threads) thread.Start();
        foreach (var _ in threads) done.Wait();
        if (threads.Length > 0) set_num_threads(torchThreads); // each worker's setting is its own, but the last one would also be that of threads to come
    }

    /// <summary>Number of workers.</summary>
    public int Count => replicas.Length;

    /// <summary>Runs every pass and returns the results in order; the caller owns them. The first failure is thrown once all have ended.</summary>
    public T[] Run<T>(IReadOnlyList<IReadOnlyList<PlannedRow>> passes, Func<TrainingReplica, IReadOnlyList<PlannedRow>, T> run)
    {
        var results = new T?[passes.Count];
        var errors = new ExceptionDispatchInfo?[passes.Count];
        var next = -1;
        void Take(TrainingReplica replica)
        {
            for (var pass = Interlocked.Increment(ref next); pass < passes.Count; pass = Interlocked.Increment(ref next))
            {
                try
                {
                    results[pass] = run(replica, passes[pass]);
                }
                catch (Exception error) when (error is not OutOfMemoryException)
                {
                    errors[pass] = ExceptionDispatchInfo.Capture(error);
                }
            }
        }

        var helpers = Math.Min(threads.Length, passes.Count);
        if (helpers <= 1) Take(replicas[0]);
        else
        {
            task = Take;
            work.Release(helpers);
            for (var i = 0; i < helpers; i++) done.Wait();
        }
        if (Array.Find(errors, error => error is not null) is { } first)
        {
            foreach (var result in results) (result as IDisposable)?.Dispose();
            first.Throw();
        }
        return results!;
    }

    void Serve(TrainingReplica replica)
    {
        set_num_threads(1);
        done.Release();
        while (true)
        {
            work.Wait();
            if (stopping) return;
            task(replica);
            done.Release();
        }
    }

    public void Dispose()
    {
        stopping = true;
        work.Release(Math.Max(1, threads.Length));
        foreach (var thread in threads) thread.Join();
        foreach (var replica in replicas) replica.Dispose();
        work.Dispose();
        done.Dispose();
    }
}
