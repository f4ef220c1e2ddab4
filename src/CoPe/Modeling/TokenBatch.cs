using CoPe.Kernels;
using static TorchSharp.torch;

namespace CoPe.Modeling;

/// <summary>The tokens of one forward pass. Rows shorter than the longest are padded on the right, which a causal mask never shows to real tokens.</summary>
public sealed class TokenBatch : IDisposable
{
    /// <summary>Takes ownership of the tensors given.</summary>
    /// <param name="ids">Token ids <c>[rows, seq]</c> int64.</param>
    /// <param name="positions">Rotary positions, which are also the cache columns written, <c>[rows, seq]</c> int64; null counts 0, 1, 2, ... in every row.</param>
    /// <param name="visible">Which column each column may attend to, <c>[rows, seq, seq]</c> or <c>[1, seq, seq]</c> bool; null is causal. Not allowed together with a cache. Sliding windows are cut from it by position.</param>
    /// <param name="wanted">Columns of each row whose hidden states are asked for, <c>[rows][wanted of the row]</c>; null asks for all. Not allowed together with a cache.</param>
    public TokenBatch(Tensor ids, Tensor? positions = null, Tensor? visible = null, IReadOnlyList<IReadOnlyList<int>>? wanted = null)
    {
        if (ids.dim() != 2) throw new ArgumentException($"Token ids have shape [{string.Join(", ", ids.shape)}]; expected [rows, seq].", nameof(ids));
        if (positions is not null && !positions.shape.SequenceEqual(ids.shape))
            throw new ArgumentException($"Positions have shape [{string.Join(", ", positions.shape)}]; expected [{string.Join(", ", ids.shape)}] as the ids.", nameof(positions));
        if (visible is not null && !(visible.dim() == 3 && visible.shape[0] is var rows && (rows == 1 || rows == ids.shape[0]) && visible.shape[1] == ids.shape[1] && visible.shape[2] == ids.shape[1]))
            throw new ArgumentException($"Visibility has shape [{string.Join(", ", visible.shape)}]; expected [rows or 1, seq, seq] for ids [{string.Join(", ", ids.shape)}].", nameof(visible));
        if (wanted is not null && wanted.Count != ids.shape[0]) throw new ArgumentException($"Columns are wanted of {wanted.Count} rows; expected {ids.shape[0]}, as the ids have.", nameof(wanted));
        Wanted = wanted is null ? null : new WantedColumns(wanted, ids.shape[1], ids.device);
        Ids = ids.DetachFromDisposeScope();
        CountsFromZero = positions is null;
        Positions = (positions ?? Scalars.Range(0, ids.shape[1], ids.device).unsqueeze(0).expand(ids.shape[0], -1)).DetachFromDisposeScope();
        Visible = visible?.DetachFromDisposeScope();
    }

    /// <summary>The same with positions that the host knows, row by row, <c>[rows * seq]</c>: to read them back from a GPU would be to wait for it.</summary>
    public TokenBatch(Tensor ids, long[] positions)
        : this(ids, OfShape(ids, positions)) => HostPositions = positions;

    /// <summary>Token ids <c>[rows, seq]</c> int64.</summary>
    public Tensor Ids { get; }

    /// <summary>Positions <c>[rows, seq]</c> int64.</summary>
    public Tensor Positions { get; }

    /// <summary>Visibility <c>[rows or 1, seq, seq]</c> bool, or null for causal.</summary>
    public Tensor? Visible { get; }

    /// <summary>The columns whose hidden states are asked for, or null for all.</summary>
    internal WantedColumns? Wanted { get; }

    /// <summary>Every row has positions 0, 1, 2, ...</summary>
    internal bool CountsFromZero { get; }

    /// <summary>Positions where the host was given them, row by row.</summary>
    internal long[]? HostPositions { get; }

    internal long LowestPosition => CountsFromZero ? 0 : HostPositions?.Min() ?? Extreme(Positions.min());

    internal long HighestPosition => CountsFromZero ? Ids.shape[1] - 1 : HostPositions?.Max() ?? Extreme(Positions.max());

    static Tensor OfShape(Tensor ids, long[] positions) => positions.Length == ids.numel() ? tensor(positions, ids.shape, device: ids.device)
        : throw new ArgumentException($"There are {positions.Length} positions; expected {ids.numel()}, one for each of the ids [{string.Join(", ", ids.shape)}].", nameof(positions));

    static long Extreme(Tensor value)
    {
        using (value) return value.item<long>();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Ids.Dispose();
        Positions.Dispose();
        Visible?.Dispose();
        Wanted?.Dispose();
    }
}
