using CoPe.Kernels.Threads;
using CoPe.Modeling;
using static TorchSharp.torch;

namespace CoPe.Training;

/// <summary>
/// One worker's view of what is trained: leaves that share the trained weights' memory but collect gradients of their
/// own, so that several passes run at once and their gradients are still summed in a fixed order. Owns the leaves.
/// </summary>
/// <param name="model">The model as this worker runs it.</param>
/// <param name="adapters">The adapters of rows; null when the model itself is trained.</param>
/// <param name="leaves">The leaves in the order of <see cref="TrainedWeights"/>.</param>
/// <param name="users">Number of users.</param>
/// <param name="owned">Disposed with this.</param>
sealed class TrainingReplica(
    CausalLm model,
    TrainingAdapters? adapters,
    IReadOnlyList<Tensor> leaves,
    int users,
    IDisposable owned
) : IDisposable
{
    public CausalLm Model { get; } = model;

    public TrainingAdapters? Adapters { get; } = adapters;

    /// <summary>
    /// Gradients <c>[users, weights]</c> float32, zero where a leaf has none; the caller's. The leaves' own are
    /// dropped.
    /// </summary>
    public Tensor TakeGradients()
    {
        using var scope = NewDisposeScope();
        var gradients = new Tensor[leaves.Count];
        for (var i = 0; i < leaves.Count; i++)
        {
            var gradient = leaves[i].grad;
            gradients[i] = gradient is null
                ? zeros(users, leaves[i].numel() / users, dtype: ScalarType.Float32, device: leaves[i].device)
                : gradient.reshape(users, -1).to(ScalarType.Float32);
            leaves[i].grad = null;
        }
        return cat(gradients, 1).MoveToOuterDisposeScope();
    }

    public void Dispose() => owned.Dispose();
}

/// <summary>
/// Runs the passes of a step in parallel, each worker on its own replica. Results come in the order of the passes,
/// whichever worker ran them. Owns the replicas.
/// </summary>
/// <param name="createReplica">Makes one worker's replica.</param>
/// <param name="count">Number of workers.</param>
sealed class PassWorkers(Func<TrainingReplica> createReplica, int count) : IDisposable
{
    readonly TrainingReplica[] _replicas = [.. Enumerable.Range(0, count).Select(_ => createReplica())];

    /// <summary>Number of workers.</summary>
    public int Count => _replicas.Length;

    /// <summary>Runs every pass and returns the results in order; the caller owns them.</summary>
    public T[] Run<T>(
        IReadOnlyList<IReadOnlyList<PlannedRow>> passes,
        Func<TrainingReplica, IReadOnlyList<PlannedRow>, T> run
    ) => TorchThreads.Run(Count, passes.Count, (worker, pass) => run(_replicas[worker], passes[pass]));

    public void Dispose()
    {
        foreach (var replica in _replicas)
        {
            replica.Dispose();
        }
    }
}

/// <summary>What one pass computed. Owns its tensors.</summary>
/// <param name="Gradients"><c>[users, weights]</c> float32.</param>
/// <param name="FigureNames">Names of the objective's figures, the loss first.</param>
/// <param name="Figures">Sums of the objective's figures <c>[users, figures]</c> float32.</param>
/// <param name="Tokens">Tokens without padding.</param>
sealed record PassResult(Tensor Gradients, IReadOnlyList<string> FigureNames, Tensor Figures, long Tokens) : IDisposable
{
    public void Dispose()
    {
        Gradients.Dispose();
        Figures.Dispose();
    }
}
