using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace CoPe.Kernels;

/// <summary>
/// <c>Y = X W^T</c> for a few rows X <c>[m, k]</c> and a large frozen W <c>[n, k]</c>, both bf16, sums in float32: the shape of decoding, where time is what it takes to read W.
/// W is read once, in place. Each result is summed in one order, whatever m and the number of threads.
/// </summary>
static unsafe class FewRowsProduct
{
    /// <summary>Whether m rows of length k are few enough that reading the weights decides: one or two always, up to eight of long rows. Measured against oneDNN's bf16 product.</summary>
    public static bool IsFaster(long m, long k) => m is 1 or 2 || (m is > 2 and <= 8 && k >= 100 * m);

    /// <summary>Weights per piece of work: large enough that handing it out costs nothing, small enough that a busy core delays the end little.</summary>
    const long WeightsPerChunk = 256 * 1024;

    /// <summary>Sizes of a product: X <c>[m, k]</c>, W <c>[n, k]</c>, Y <c>[m, n]</c>.</summary>
    public readonly record struct Sizes(int M, int N, int K);

    /// <summary>The product by the widest registers of this processor.</summary>
    public static void Multiply(ushort* x, ushort* weights, ushort* y, Sizes sizes, int threads)
    {
        if (Vector512.IsHardwareAccelerated) Multiply<RowKernel512>(x, weights, y, sizes, threads);
        else Multiply<RowKernel256>(x, weights, y, sizes, threads);
    }

    /// <summary>The product by one kernel.</summary>
    public static void Multiply<TKernel>(ushort* x, ushort* weights, ushort* y, Sizes sizes, int threads) where TKernel : struct, IRowKernel
    {
        var buffer = ArrayPool<float>.Shared.Rent(sizes.M * sizes.K);
        try
        {
            fixed (float* columns = buffer)
            {
                for (var m = 0; m < sizes.M; m++) Part(x + (long)m * sizes.K, columns + (long)m * sizes.K, sizes.K, TKernel.Block);
                RunChunks<TKernel>(columns, weights, y, sizes, threads);
            }
        }
        finally
        {
            ArrayPool<float>.Shared.Return(buffer);
        }
    }

    static void RunChunks<TKernel>(float* columns, ushort* weights, ushort* y, Sizes sizes, int threads) where TKernel : struct, IRowKernel
    {
        var rowsPerChunk = (int)Math.Max(2, WeightsPerChunk / sizes.K / 2 * 2);
        var chunks = (sizes.N + rowsPerChunk - 1) / rowsPerChunk;
        if (threads <= 1 || chunks == 1)
        {
            Rows<TKernel>(columns, weights, y, sizes, 0, sizes.N);
            return;
        }
        // Pieces go to whoever is free: with equal halves the slower core would decide.
        Parallel.For(0, chunks, new ParallelOptions { MaxDegreeOfParallelism = threads },
            chunk => Rows<TKernel>(columns, weights, y, sizes, chunk * rowsPerChunk, Math.Min(sizes.N, (chunk + 1) * rowsPerChunk)));
    }

    static void Rows<TKernel>(float* columns, ushort* weights, ushort* y, Sizes sizes, int first, int end) where TKernel : struct, IRowKernel
    {
        var sums = stackalloc float[2 * TKernel.MaxColumns];
        var whole = sizes.K / TKernel.Block * TKernel.Block;
        for (var n = first; n < end; n += 2)
        {
            var row0 = weights + (long)n * sizes.K;
            var row1 = n + 1 < end ? row0 + sizes.K : row0; // an odd last row stands in for its neighbour
            var ahead = n + 3 < sizes.N ? 2 * sizes.K : 0;
            for (var m = 0; m < sizes.M;)
            {
                var count = TKernel.MaxColumns;
                while (count > sizes.M - m) count /= 2;
                TKernel.Multiply(count, row0, row1, columns + (long)m * sizes.K, sizes.K, whole, ahead, sums);
                for (var c = 0; c < count; c++, m++)
                {
                    var column = columns + (long)m * sizes.K;
                    y[(long)m * sizes.N + n] = Bf16.FromSingle(sums[2 * c] + Tail(row0, column, whole, sizes.K));
                    if (n + 1 < end) y[(long)m * sizes.N + n + 1] = Bf16.FromSingle(sums[2 * c + 1] + Tail(row1, column, whole, sizes.K));
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static float Tail(ushort* row, float* column, int from, int to)
    {
        var sum = 0f;
        for (var k = from; k < to; k++) sum += Bf16.ToSingle(row[k]) * column[k];
        return sum;
    }

    /// <summary>Widens a row of X and parts each block into its even and its odd elements, as they come out of the pairs of weights.</summary>
    static void Part(ushort* row, float* column, int length, int block)
    {
        var whole = length / block * block;
        for (var k = 0; k < whole; k += block)
            for (var i = 0; i < block / 2; i++)
            {
                column[k + i] = Bf16.ToSingle(row[k + 2 * i]);
                column[k + block / 2 + i] = Bf16.ToSingle(row[k + 2 * i + 1]);
            }
        for (var k = whole; k < length; k++) column[k] = Bf16.ToSingle(row[k]);
    }
}
