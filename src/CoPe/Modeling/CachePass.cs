using CoPe.Kernels;
using static TorchSharp.torch;

namespace CoPe.Modeling;

/// <summary>Cache rows during one pass. Its tensors belong to the dispose scope in which it is made.</summary>
sealed class CachePass
{
    readonly KvCacheRows rows;
    readonly Tensor rowIndex;  // [rows, 1]
    readonly Tensor positions; // [rows, seq]

    public CachePass(KvCacheRows rows, TokenBatch batch)
    {
        if (batch.Visible is not null) throw new ArgumentException("A pass with a cache is causal: it takes no visibility mask.", nameof(batch));
        if (batch.Ids.shape[0] != rows.Count) throw new ArgumentException($"The batch has {batch.Ids.shape[0]} rows, the cache rows given are {rows.Count}.", nameof(batch));
        if (batch.LowestPosition < 0 || batch.HighestPosition >= rows.Length)
            throw new ArgumentException($"The batch has positions {batch.LowestPosition} to {batch.HighestPosition}; the cache rows given have columns 0 to {rows.Length - 1}.", nameof(batch));
        this.rows = rows;
        positions = batch.Positions;
        rowIndex = Scalars.Range(rows.First, rows.First + rows.Count, positions.device).unsqueeze(1);
    }

    /// <summary>Stores keys and values <c>[rows, seq, kvHeads, headDim]</c> at the pass's positions.</summary>
    public void Write(int layer, Tensor keys, Tensor values)
    {
        var (allKeys, allValues) = rows.Cache.Layer(layer);
        allKeys.index_put_(keys, rowIndex, positions);
        allValues.index_put_(values, rowIndex, positions);
    }

    /// <summary>Keys <c>[rows, columns, kvHeads, headDim]</c> of a layer, a view of the cache.</summary>
    public Tensor Keys(int layer) => rows.Cache.Layer(layer).Keys.narrow(0, rows.First, rows.Count).narrow(1, 0, rows.Length);

    /// <summary>Values <c>[rows, columns, kvHeads, headDim]</c> of a layer, a view of the cache.</summary>
    public Tensor Values(int layer) => rows.Cache.Layer(layer).Values.narrow(0, rows.First, rows.Count).narrow(1, 0, rows.Length);
}
