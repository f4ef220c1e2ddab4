using CoPe.Kernels;

namespace CoPe.Training;

/// <summary>Runs the passes of a step side by side, each worker on its own replica. Results come in the order of the passes, whoever ran them. Owns the replicas.</summary>
/// <param name="replicate">Makes one worker's replica.</param>
/// <param name="count">Number of workers.</param>
internal sealed class PassWorkers(Func<TrainingReplica> replicate, int count) : IDisposable
{
    readonly TrainingReplica[] replicas = [.. Enumerable.Range(0, count).Select(_ => replicate())];

    /// <summary>Number of workers.</summary>
    public int Count => replicas.Length;

    /// <summary>Runs every pass and returns the results in order; the caller owns them.</summary>
    public T[] Run<T>(IReadOnlyList<IReadOnlyList<PlannedRow>> passes, Func<TrainingReplica, IReadOnlyList<PlannedRow>, T> run) =>
        TorchThreads.Run(Count, passes.Count, (worker, pass) => run(replicas[worker], passes[pass]));

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var replica in replicas) replica.Dispose();
    }
}
