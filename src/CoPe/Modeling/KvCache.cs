using CoPe.Kernels.Torch;
using static TorchSharp.torch;

namespace CoPe.Modeling;

/// <summary>
/// Keys and values of earlier columns, preallocated for a number of rows and columns. Column index = position, rows are
/// left-aligned.
/// </summary>
public sealed class KvCache : IDisposable
{
    // Each [rows, capacity, kvHeads, headDim], but laid out head by head: attention then reads one head's columns in
    // one run, twice as fast.
    readonly List<(Tensor Keys, Tensor Values)> _layers = [];

    /// <summary>
    /// Allocates for <paramref name="rows"/> rows of at most <paramref name="capacity"/> positions, in the dtype the
    /// model computes in.
    /// </summary>
    public KvCache(CausalLm model, int rows, int capacity)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        (RowCount, Capacity) = (rows, capacity);
        var config = model.Config;
        // Zeros, not uninitialised memory: a hidden column counts 0 * value, which must not be 0 * NaN.
        Tensor Empty()
        {
            using var scope = NewDisposeScope();
            return zeros(
                    [rows, config.KeyValueHeadCount, capacity, config.HeadDim],
                    dtype: model.Dtype,
                    device: model.Device
                )
                .transpose(1, 2)
                .DetachFromDisposeScope();
        }
        for (var i = 0; i < config.LayerCount; i++)
        {
            _layers.Add((Empty(), Empty()));
        }
    }

    /// <summary>Number of rows.</summary>
    public int RowCount { get; }

    /// <summary>Positions that a row can hold.</summary>
    public int Capacity { get; }

    internal (Tensor Keys, Tensor Values) GetLayer(int index) => _layers[index];

    /// <summary>
    /// A view of <paramref name="count"/> consecutive rows for one pass; <paramref name="length"/> is the longest
    /// position + 1 that the pass will see.
    /// </summary>
    public KvCacheSlice Slice(int first, int count, int length)
    {
        if (first < 0 || count < 1 || first + count > RowCount)
        {
            throw new ArgumentException($"Rows {first} to {first + count - 1} are not in a cache of {RowCount} rows.");
        }

        if (length < 1 || length > Capacity)
        {
            throw new ArgumentOutOfRangeException(
                nameof(length),
                $"Length {length} is not in 1 to the cache's capacity {Capacity}."
            );
        }

        return new KvCacheSlice(this, first, count, length);
    }

    /// <summary>
    /// Copies the first <paramref name="length"/> positions of a row over another's (samples share a prompt; a freed
    /// row is filled by the last).
    /// </summary>
    public void CopyRow(int from, int to, int length)
    {
        if (length < 0 || length > Capacity)
        {
            throw new ArgumentOutOfRangeException(
                nameof(length),
                $"Length {length} is not in 0 to the cache's capacity {Capacity}."
            );
        }

        if (from == to || length == 0)
        {
            return;
        }

        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        foreach (var (keys, values) in _layers)
        {
            keys[to].narrow(0, 0, length).copy_(keys[from].narrow(0, 0, length));
            values[to].narrow(0, 0, length).copy_(values[from].narrow(0, 0, length));
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var (keys, values) in _layers)
        {
            keys.Dispose();
            values.Dispose();
        }
        _layers.Clear();
        NativeHeap.ReleaseFreedMemory();
    }
}

/// <summary>Consecutive rows of a cache, as one pass sees them.</summary>
/// <param name="Cache">The cache.</param>
/// <param name="First">First row.</param>
/// <param name="Count">Number of rows: batch row i is cache row First + i.</param>
/// <param name="Length">Columns attended to: the longest position of the pass + 1.</param>
public sealed record KvCacheSlice(KvCache Cache, int First, int Count, int Length);

/// <summary>Cache rows during one pass. Its tensors belong to the dispose scope in which it is made.</summary>
sealed class KvCacheView
{
    readonly KvCacheSlice _rows;
    readonly Tensor _rowIndex; // [rows, 1]
    readonly Tensor _positions; // [rows, seq]

    public KvCacheView(KvCacheSlice rows, TokenBatch batch)
    {
        if (batch.Visible is not null)
        {
            throw new ArgumentException("A pass with a cache is causal: it takes no visibility mask.", nameof(batch));
        }

        if (batch.Ids.shape[0] != rows.Count)
        {
            throw new ArgumentException(
                $"The batch has {batch.Ids.shape[0]} rows, the cache rows given are {rows.Count}.",
                nameof(batch)
            );
        }

        if (batch.MinPosition < 0 || batch.MaxPosition >= rows.Length)
        {
            throw new ArgumentException(
                $"The batch has positions {batch.MinPosition} to {batch.MaxPosition}; the cache rows given have columns 0 to {rows.Length - 1}.",
                nameof(batch)
            );
        }

        _rows = rows;
        _positions = batch.Positions;
        _rowIndex = Scalars.Range(rows.First, rows.First + rows.Count, _positions.device).unsqueeze(1);
    }

    /// <summary>Stores keys and values <c>[rows, seq, kvHeads, headDim]</c> at the pass's positions.</summary>
    public void Write(int layer, Tensor keys, Tensor values)
    {
        var (allKeys, allValues) = _rows.Cache.GetLayer(layer);
        allKeys.index_put_(keys, _rowIndex, _positions);
        allValues.index_put_(values, _rowIndex, _positions);
    }

    /// <summary>Keys <c>[rows, columns, kvHeads, headDim]</c> of a layer, a view of the cache.</summary>
    public Tensor GetKeys(int layer) =>
        _rows.Cache.GetLayer(layer).Keys.narrow(0, _rows.First, _rows.Count).narrow(1, 0, _rows.Length);

    /// <summary>Values <c>[rows, columns, kvHeads, headDim]</c> of a layer, a view of the cache.</summary>
    public Tensor GetValues(int layer) =>
        _rows.Cache.GetLayer(layer).Values.narrow(0, _rows.First, _rows.Count).narrow(1, 0, _rows.Length);
}
