using System.Runtime.Intrinsics;
using TorchSharp;
using static TorchSharp.torch;

namespace CoPe.Kernels;

/// <summary>Attention of a decoding step: one position a row, which sees its own columns of the cache. A row reads no more columns than it has, however long the others are.</summary>
/// <param name="positions">Position of each row, which is also its last column.</param>
/// <param name="window">Columns that a row sees at most; null for all.</param>
sealed unsafe class StepAttention(long[] positions, int? window)
{
    /// <summary>Whether a pass of one position a row is of the kind: bf16 on the processor, heads of whole registers, and nothing for autograd to remember.</summary>
    public static bool Applies(Tensor ids, ScalarType dtype, int headDim) =>
        ids.shape[1] == 1 && dtype == ScalarType.BFloat16 && ids.device_type == DeviceType.CPU && headDim % FourRows<Lanes256>.Block == 0 && !is_grad_enabled();

    /// <summary>
    /// Writes the position's key k and value v <c>[rows, 1, kvHeads, headDim]</c> into its column, then <c>softmax(q keys^T / sqrt(headDim)) values</c> for q <c>[rows, 1, heads, headDim]</c> and
    /// views of the cache <c>[rows, columns, kvHeads, headDim]</c> in which a head's columns lie behind each other. The result <c>[rows, 1, heads, headDim]</c> bf16 belongs to the caller.
    /// </summary>
    public Tensor Attend(Tensor q, Tensor k, Tensor v, Tensor keys, Tensor values)
    {
        var shape = q.shape;
        var (heads, keyHeads, width) = ((int)shape[2], (int)keys.shape[2], (int)shape[3]);
        var strides = keys.stride();
        if (!q.is_contiguous() || !k.is_contiguous() || !v.is_contiguous() || strides[1] != width || strides[3] != 1)
            throw new ArgumentException("Queries, keys and values must be contiguous, and a head's cached columns must lie behind each other.", nameof(q));
        var y = empty(shape, dtype: ScalarType.BFloat16);
        var (rowStride, headStride, group) = (strides[0], strides[2], heads / keyHeads);
        ushort* query = (ushort*)TensorMemory.Of(q), newKey = (ushort*)TensorMemory.Of(k), newValue = (ushort*)TensorMemory.Of(v);
        ushort* allKeys = (ushort*)TensorMemory.Of(keys), allValues = (ushort*)TensorMemory.Of(values), to = (ushort*)TensorMemory.Of(y);
        KernelTeam.Run(TorchThreads.OfKernels, positions.Length * keyHeads, piece =>
        {
            var (row, head) = Math.DivRem(piece, keyHeads);
            var columns = (int)Math.Min(positions[row] + 1, window ?? long.MaxValue);
            var end = row * rowStride + head * headStride + (positions[row] + 1) * width;
            Copy(newKey + (long)piece * width, allKeys + end - width, width);
            Copy(newValue + (long)piece * width, allValues + end - width, width);
            var (start, at) = (end - (long)columns * width, ((long)row * heads + head * group) * width);
            if (Vector512.IsHardwareAccelerated && width % FourRows<Lanes512>.Block == 0) CacheHead<Lanes512>.Attend(query + at, allKeys + start, allValues + start, to + at, group, width, columns);
            else CacheHead<Lanes256>.Attend(query + at, allKeys + start, allValues + start, to + at, group, width, columns);
        });
        GC.KeepAlive(q);
        GC.KeepAlive(k);
        GC.KeepAlive(v);
        GC.KeepAlive(keys);
        GC.KeepAlive(values);
        return y;
    }

    static void Copy(ushort* from, ushort* to, int width) => new ReadOnlySpan<ushort>(from, width).CopyTo(new(to, width));
}
