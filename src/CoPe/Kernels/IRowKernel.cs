namespace CoPe.Kernels;

/// <summary>Products of two bf16 weight rows with a few float32 columns, for one width of vector registers.</summary>
unsafe interface IRowKernel
{
    /// <summary>Weights read per step. A column is stored with each such block parted: first its even elements, then its odd ones; what is left of the block length stays in order.</summary>
    static abstract int Block { get; }

    /// <summary>Most columns that <see cref="Multiply"/> takes at once; it takes powers of two up to this.</summary>
    static abstract int MaxColumns { get; }

    /// <summary>
    /// <c>sums[2 * c] = row0 . column c</c>, <c>sums[2 * c + 1] = row1 . column c</c> over the first <paramref name="length"/> elements, a multiple of <see cref="Block"/>.
    /// Column c begins at <c>columns + c * stride</c>. Fetches the rows <paramref name="ahead"/> elements on into the cache.
    /// </summary>
    static abstract void Multiply(int count, ushort* row0, ushort* row1, float* columns, int stride, int length, int ahead, float* sums);
}
