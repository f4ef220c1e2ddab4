using CoPe.Kernels.Torch;
using static TorchSharp.torch;

namespace CoPe.Modeling;

/// <summary>
/// Keys and values of the first columns of each row of a pass that computes the others: an earlier pass computed them,
/// and no gradient flows into them. Borrows the caches, which must live until the pass's backward pass has ended.
/// </summary>
/// <param name="rows">For each row of the pass a cache of one row, filled to its capacity.</param>
sealed class CachedPrefix(IReadOnlyList<KvCache> rows)
{
    /// <summary>Columns known of each row.</summary>
    public IReadOnlyList<int> Lengths { get; } = [.. rows.Select(row => row.Capacity)];

    /// <summary>Columns known of the row with most of them; the others are padded to it on the right.</summary>
    public int Width { get; } = rows.Max(row => row.Capacity);

    /// <summary>
    /// A layer's keys and values of the prefix and, after them, those of the pass: from
    /// <c>[rows, seq, kvHeads, headDim]</c> to <c>[rows, width + seq, kvHeads, headDim]</c>, the caller's.
    /// </summary>
    public (Tensor Keys, Tensor Values) Prepend(int layer, Tensor keys, Tensor values) =>
        (Prepend(row => row.GetLayer(layer).Keys, keys), Prepend(row => row.GetLayer(layer).Values, values));

    /// <summary>
    /// Which columns of the prefix each of the pass's columns sees, <c>[rows, seq, width]</c> bool, the caller's: all
    /// that its row has, within the window.
    /// </summary>
    public Tensor CreateVisible(Tensor positions, int? window)
    {
        using var scope = NewDisposeScope();
        var columns = Scalars.Range(0, Width, positions.device); // also their positions
        var lengths = tensor([.. Lengths.Select(length => (long)length)], device: positions.device);
        var visible = columns.lt(lengths.unsqueeze(1)).unsqueeze(1).expand(-1, positions.shape[1], -1);
        if (window is { } span)
        {
            visible = visible.logical_and(positions.unsqueeze(-1).sub(columns).lt(Scalars.Of(span)));
        }

        return visible.MoveToOuterDisposeScope();
    }

    Tensor Prepend(Func<KvCache, Tensor> select, Tensor computed)
    {
        using var scope = NewDisposeScope();
        return cat([Assemble(select, computed), computed], 1).MoveToOuterDisposeScope();
    }

    /// <summary><c>[rows, width, kvHeads, headDim]</c>.</summary>
    Tensor Assemble(Func<KvCache, Tensor> select, Tensor like)
    {
        if (rows.All(row => ReferenceEquals(row, rows[0])))
        {
            return select(rows[0]).expand(rows.Count, -1, -1, -1);
        }

        if (Lengths.All(length => length == Width))
        {
            return cat([.. rows.Select(select)], 0);
        }

        // Zeros, not uninitialized memory: a hidden column counts 0 * value, which must not be 0 * NaN.
        var padded = zeros([rows.Count, Width, like.shape[2], like.shape[3]], dtype: like.dtype, device: like.device);
        for (var row = 0; row < rows.Count; row++)
        {
            padded[row].narrow(0, 0, Lengths[row]).copy_(select(rows[row])[0]);
        }

        return padded;
    }
}
