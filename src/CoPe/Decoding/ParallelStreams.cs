using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using CoPe.Kernels.Threads;

namespace CoPe.Decoding;

/// <summary>Streams that are produced in parallel, read as one.</summary>
static class ParallelStreams
{
    /// <summary>
    /// The elements of all streams as they come; each stream is produced on a thread of its own with one torch thread.
    /// The first failure ends all streams and is thrown when what came before has been read. Stopping to read ends the
    /// streams before this returns.
    /// </summary>
    /// <param name="streams">Number of streams.</param>
    /// <param name="produce">Produces one, by number; it must check the token.</param>
    /// <param name="cancellation">Ends all streams.</param>
    public static IEnumerable<T> Merge<T>(
        int streams,
        Func<int, CancellationToken, IEnumerable<T>> produce,
        CancellationToken cancellation
    )
    {
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        using var ready = new BlockingCollection<T>();
        ExceptionDispatchInfo? failure = null;
        var work = new Thread(() =>
        {
            TorchThreads.RunOnEachWorker(streams, Run);
            ready.CompleteAdding();
        })
        {
            IsBackground = true,
            Name = "parallel streams",
        };
        work.Start();
        try
        {
            foreach (var element in ready.GetConsumingEnumerable(CancellationToken.None))
            {
                yield return element;
            }
        }
        finally
        {
            stopping.Cancel();
            work.Join();
        }

        failure?.Throw();

        void Run(int stream)
        {
            try
            {
                foreach (var element in produce(stream, stopping.Token))
                {
                    ready.Add(element, CancellationToken.None);
                }
            }
            catch (Exception error)
            {
                Interlocked.CompareExchange(ref failure, ExceptionDispatchInfo.Capture(error), null);
                stopping.Cancel();
            }
        }
    }
}
