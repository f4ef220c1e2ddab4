using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using CoPe.Kernels.Threads;

namespace CoPe.Decoding;

/// <summary>Streams that are made side by side, read as one.</summary>
static class ParallelStreams
{
    /// <summary>
    /// The elements of all streams as they come; each is made on a thread of its own with one torch thread. The first
    /// failure ends all streams and is thrown when what came before
    /// has been read. Stopping to read ends the streams before this returns.
    /// </summary>
    /// <param name="streams">Number of streams.</param>
    /// <param name="make">Makes one, by number; it must look at the token.</param>
    /// <param name="cancellation">Ends all streams.</param>
    public static IEnumerable<T> Merge<T>(
        int streams,
        Func<int, CancellationToken, IEnumerable<T>> make,
        CancellationToken cancellation
    )
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        using var ready = new BlockingCollection<T>();
        ExceptionDispatchInfo? failure = null;
        var work = new Thread(() =>
        {
            TorchThreads.RunOnEachWorker(streams, Run);
            ready.CompleteAdding();
        })
        {
            IsBackground = true,
            Name = "side by side",
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
            ending.Cancel();
            work.Join();
        }

        failure?.Throw();

        void Run(int stream)
        {
            try
            {
                foreach (var element in make(stream, ending.Token))
                {
                    ready.Add(element, CancellationToken.None);
                }
            }
            catch (Exception error)
            {
                Interlocked.CompareExchange(ref failure, ExceptionDispatchInfo.Capture(error), null);
                ending.Cancel();
            }
        }
    }
}
