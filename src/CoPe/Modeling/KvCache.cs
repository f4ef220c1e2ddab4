using CoPe.Kernels.Torch;
using CoPe.Modeling.Safetensors;
using static TorchSharp.torch;

namespace CoPe.Modeling;

/// <summary>
/// Keys and values of earlier columns, preallocated for a number of rows and columns. A column's index is its position;
/// rows are left-aligned. Owns its tensors.
/// </summary>
sealed class KvCache : IDisposable
{
    // Each [rows, capacity, kvHeads, headDim], but laid out head by head: attention then reads one head's columns one
    // after the other, twice as fast.
    readonly List<(Tensor Keys, Tensor Values)> _layers = [];

    /// <summary>
    /// Allocates for <paramref name="rows"/> rows of at most <paramref name="capacity"/> positions, in the dtype the
    /// model computes in.
    /// </summary>
    public KvCache(CausalLm model, int rows, int capacity)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        RowCount = rows;
        Capacity = capacity;
        // A scope owns what was allocated should a later layer fail.
        using var scope = NewDisposeScope();
        for (var i = 0; i < model.Config.LayerCount; i++)
        {
            _layers.Add((Allocate(model, rows, capacity), Allocate(model, rows, capacity)));
        }

        foreach (var (keys, values) in _layers)
        {
            keys.DetachFromDisposeScope();
            values.DetachFromDisposeScope();
        }
    }

    /// <summary>Number of rows.</summary>
    public int RowCount { get; }

    /// <summary>
    /// Whether what is freed goes back to the system at once: not where caches as small as this one come and go.
    /// </summary>
    public bool ReleasesMemory { get; init; } = true;

    /// <summary>Positions that a row can hold.</summary>
    public int Capacity { get; }

    /// <summary>Memory of one position of a row.</summary>
    public long BytesPerPosition =>
        _layers.Sum(layer => 2 * layer.Keys.shape[2] * layer.Keys.shape[3] * layer.Keys.ElementSize);

    /// <summary>Keys and values <c>[rows, capacity, kvHeads, headDim]</c> of a layer; this object owns them.</summary>
    public (Tensor Keys, Tensor Values) GetLayer(int index) => _layers[index];

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

    /// <summary>A copy of a row's first <paramref name="length"/> positions, owned by the caller.</summary>
    public KvColumns CopyOut(int row, int length)
    {
        using var noGrad = no_grad();
        return new KvColumns([.. _layers.Select(layer => (CopyOut(layer.Keys), CopyOut(layer.Values)))], length);

        Tensor CopyOut(Tensor cached)
        {
            using var scope = NewDisposeScope();
            // One head's columns after the other, as they lie in the cache.
            return cached[row].narrow(0, 0, length).transpose(0, 1).contiguous().clone().DetachFromDisposeScope();
        }
    }

    /// <summary>Copies the first <paramref name="length"/> positions of what was copied out into a row.</summary>
    public void CopyIn(KvColumns columns, int row, int length)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        foreach (var (cached, copied) in _layers.Zip(columns.Layers))
        {
            CopyIn(cached.Keys, copied.Keys);
            CopyIn(cached.Values, copied.Values);
        }

        void CopyIn(Tensor cached, Tensor copied) =>
            cached[row].narrow(0, 0, length).copy_(copied.narrow(1, 0, length).transpose(0, 1));
    }

    /// <summary>Bytes of keys and values of so many rows and positions.</summary>
    public static long CountBytes(CausalLm model, int rows, int capacity)
    {
        var config = model.Config;
        var perPosition = 2L * config.LayerCount * config.KeyValueHeadCount * config.HeadDim;
        return perPosition * rows * capacity * SafetensorsDtype.GetElementSize(model.Dtype);
    }

    /// <summary>
    /// Zeros, not uninitialized memory: a hidden column counts 0 * value, which must not be 0 * NaN.
    /// </summary>
    static Tensor Allocate(CausalLm model, int rows, int capacity)
    {
        long[] layout = [rows, model.Config.KeyValueHeadCount, capacity, model.Config.HeadDim];
        using var memory = zeros(layout, dtype: model.Dtype, device: model.Device);
        return memory.transpose(1, 2);
    }

    public void Dispose()
    {
        foreach (var (keys, values) in _layers)
        {
            keys.Dispose();
            values.Dispose();
        }

        _layers.Clear();
        if (ReleasesMemory)
        {
            NativeHeap.ReleaseFreedMemory();
        }
    }
}

/// <summary>Keys and values of the first positions of a row, copied out of a cache. Owns its tensors.</summary>
/// <param name="layers">Keys and values <c>[kvHeads, length, headDim]</c> of each layer.</param>
/// <param name="length">Positions.</param>
sealed class KvColumns(IReadOnlyList<(Tensor Keys, Tensor Values)> layers, int length) : IDisposable
{
    /// <summary>Keys and values <c>[kvHeads, length, headDim]</c> of each layer.</summary>
    public IReadOnlyList<(Tensor Keys, Tensor Values)> Layers => layers;

    /// <summary>Positions.</summary>
    public int Length => length;

    public void Dispose()
    {
        foreach (var (keys, values) in layers)
        {
            keys.Dispose();
            values.Dispose();
        }
    }
}

/// <summary>Consecutive rows of a cache, as one pass sees them.</summary>
/// <param name="Cache">The cache.</param>
/// <param name="First">First row.</param>
/// <param name="Count">Number of rows: batch row i is cache row First + i.</param>
/// <param name="Length">Columns attended to: the longest position of the pass + 1.</param>
sealed record KvCacheSlice(KvCache Cache, int First, int Count, int Length);

/// <summary>Cache rows during one pass. Its tensors belong to the dispose scope in which it is created.</summary>
sealed class KvCacheView
{
    readonly KvCacheSlice _slice;
    readonly Tensor _rowIndex; // [rows, 1]
    readonly Tensor _positions; // [rows, seq]

    public KvCacheView(KvCacheSlice slice, TokenBatch batch)
    {
        if (batch.Visible is not null)
        {
            throw new ArgumentException("A pass with a cache is causal: it takes no visibility mask.", nameof(batch));
        }

        if (batch.Ids.shape[0] != slice.Count)
        {
            throw new ArgumentException(
                $"The batch has {batch.Ids.shape[0]} rows, the cache rows given are {slice.Count}.",
                nameof(batch)
            );
        }

        if (batch.MinPosition < 0 || batch.MaxPosition >= slice.Length)
        {
            throw new ArgumentException(
                $"The batch has positions {batch.MinPosition} to {batch.MaxPosition}; the cache rows given have "
                    + $"columns 0 to {slice.Length - 1}.",
                nameof(batch)
            );
        }

        _slice = slice;
        _positions = batch.Positions;
        _rowIndex = Scalars.Range(slice.First, slice.First + slice.Count, _positions.device).unsqueeze(1);
    }

    /// <summary>Stores keys and values <c>[rows, seq, kvHeads, headDim]</c> at the pass's positions.</summary>
    public void Write(int layer, Tensor keys, Tensor values)
    {
        var (allKeys, allValues) = _slice.Cache.GetLayer(layer);
        allKeys.index_put_(keys, _rowIndex, _positions);
        allValues.index_put_(values, _rowIndex, _positions);
    }

    /// <summary>Keys <c>[rows, columns, kvHeads, headDim]</c> of a layer, a view of the cache.</summary>
    public Tensor GetKeys(int layer) => SelectRows(_slice.Cache.GetLayer(layer).Keys);

    /// <summary>Values <c>[rows, columns, kvHeads, headDim]</c> of a layer, a view of the cache.</summary>
    public Tensor GetValues(int layer) => SelectRows(_slice.Cache.GetLayer(layer).Values);

    Tensor SelectRows(Tensor cached) => cached.narrow(0, _slice.First, _slice.Count).narrow(1, 0, _slice.Length);
}
