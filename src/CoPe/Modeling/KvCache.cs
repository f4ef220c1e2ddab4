using CoPe.Kernels;
using static TorchSharp.torch;

namespace CoPe.Modeling;

/// <summary>Keys and values of earlier columns, preallocated for a number of rows and columns. Column index = position, rows are left-aligned.</summary>
public sealed class KvCache : IDisposable
{
    // Each [rows, capacity, kvHeads, headDim], but laid out head by head: attention then reads one head's columns in one run, twice as fast.
    readonly List<(Tensor Keys, Tensor Values)> layers = [];

    /// <summary>Allocates for <paramref name="rows"/> rows of at most <paramref name="capacity"/> positions, in the dtype the model computes in.</summary>
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
            return zeros([rows, config.KeyValueHeadCount, capacity, config.HeadDim], dtype: model.Dtype, device: model.Device).transpose(1, 2).DetachFromDisposeScope();
        }
        for (var i = 0; i < config.LayerCount; i++) layers.Add((Empty(), Empty()));
    }

    /// <summary>Number of rows.</summary>
    public int RowCount { get; }

    /// <summary>Positions that a row can hold.</summary>
    public int Capacity { get; }

    internal (Tensor Keys, Tensor Values) Layer(int index) => layers[index];

    /// <summary>A view of <paramref name="count"/> consecutive rows for one pass; <paramref name="length"/> is the longest position + 1 that the pass will see.</summary>
    public KvCacheRows Rows(int first, int count, int length)
    {
        if (first < 0 || count < 1 || first + count > RowCount) throw new ArgumentException($"Rows {first} to {first + count - 1} are not in a cache of {RowCount} rows.");
        if (length < 1 || length > Capacity) throw new ArgumentOutOfRangeException(nameof(length), $"Length {length} is not in 1 to the cache's capacity {Capacity}.");
        return new KvCacheRows(this, first, count, length);
    }

    /// <summary>Copies the first <paramref name="length"/> positions of a row over another's (samples share a prompt; a freed row is filled by the last).</summary>
    public void CopyRow(int from, int to, int length)
    {
        if (length < 0 || length > Capacity) throw new ArgumentOutOfRangeException(nameof(length), $"Length {length} is not in 0 to the cache's capacity {Capacity}.");
        if (from == to || length == 0) return;
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        foreach (var (keys, values) in layers)
        {
            keys[to].narrow(0, 0, length).copy_(keys[from].narrow(0, 0, length));
            values[to].narrow(0, 0, length).copy_(values[from].narrow(0, 0, length));
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var (keys, values) in layers)
        {
            keys.Dispose();
            values.Dispose();
        }
        layers.Clear();
        NativeHeap.GiveBack();
    }
}
