using static TorchSharp.torch;

namespace CoPe.Training;

/// <summary>
/// The weights in training as one float32 matrix <c>[users, weights]</c>, so that clipping and optimizer are a few
/// operations whatever the number of tensors. The model reads the leaves; <see cref="CopyToModel"/> copies the matrix
/// into them. Owns the matrix, not the leaves.
/// </summary>
sealed class TrainedWeights : IDisposable
{
    readonly IReadOnlyList<Tensor> _leaves;
    readonly int _users;

    /// <param name="decayed">
    /// Leaves subject to weight decay, each with the users as first dimension (or whole, for one user).
    /// </param>
    /// <param name="undecayed">The other leaves.</param>
    /// <param name="users">Number of users.</param>
    public TrainedWeights(IReadOnlyList<Tensor> decayed, IReadOnlyList<Tensor> undecayed, int users)
    {
        _leaves = [.. decayed, .. undecayed];
        _users = users;
        DecayedWidth = decayed.Sum(leaf => leaf.numel()) / users;
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        Values = cat([.. _leaves.Select(leaf => leaf.detach().reshape(users, -1).to(ScalarType.Float32))], 1)
            .DetachFromDisposeScope();
    }

    /// <summary><c>[users, weights]</c> float32.</summary>
    public Tensor Values { get; }

    /// <summary>How many of the weights decay; they come first.</summary>
    public long DecayedWidth { get; }

    /// <summary>Copies the matrix into the leaves.</summary>
    public void CopyToModel()
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        long offset = 0;
        foreach (var leaf in _leaves)
        {
            var width = leaf.numel() / _users;
            leaf.copy_(Values.narrow(1, offset, width).view(leaf.shape));
            offset += width;
        }
    }

    public void Dispose() => Values.Dispose();
}
