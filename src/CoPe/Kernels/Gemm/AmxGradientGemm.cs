using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace CoPe.Kernels.Gemm;

/// <summary>
/// <c>G W</c> for many rows G <c>[m, n]</c> and a frozen W <c>[n, k]</c>, all bf16, by <see cref="AmxBf16Kernel"/>: the
/// gradient of what <see cref="AmxGemm"/> multiplies. W is packed chunk by chunk, in the second cache. Sums are float32
/// and rounded once; each has one order, whatever m and the number of threads.
/// </summary>
static unsafe class AmxGradientGemm
{
    /// <summary><c>G W</c>, <c>[m, k]</c>.</summary>
    /// <param name="g"><c>[m, n]</c>, contiguous.</param>
    /// <param name="w"><c>[n, k]</c>, contiguous.</param>
    /// <param name="y">The result.</param>
    /// <param name="shape">m, n and k.</param>
    /// <param name="threads">Most threads.</param>
    public static void Multiply(ushort* g, ushort* w, ushort* y, SkinnyGemm.Shape shape, int threads)
    {
        if (shape.M >= AmxBf16Kernel.Block)
        {
            AmxBlocks.RunOverBlocks(
                shape.K / AmxBf16Kernel.Block,
                threads,
                (first, end) => MultiplyColumns(g, w, y, shape, first, end)
            );
            return;
        }

        var buffer = ArrayPool<ushort>.Shared.Rent(AmxBf16Kernel.Block * (shape.N + shape.K));
        try
        {
            fixed (ushort* rows = buffer)
            {
                var (given, results) = (shape.M * shape.N, shape.M * shape.K);
                var padded = shape with { M = AmxBf16Kernel.Block };
                var products = rows + padded.M * shape.N;
                new ReadOnlySpan<ushort>(g, given).CopyTo(new(rows, given));
                new Span<ushort>(rows + given, padded.M * shape.N - given).Clear();
                Multiply(rows, w, products, padded, threads);
                new ReadOnlySpan<ushort>(products, results).CopyTo(new(y, results));
            }
        }
        finally
        {
            ArrayPool<ushort>.Shared.Return(buffer);
        }
    }

    /// <summary>All rows of G with blocks of W's columns, packed chunk by chunk.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void MultiplyColumns(ushort* g, ushort* w, ushort* y, SkinnyGemm.Shape shape, int first, int end)
    {
        var (rowBlocks, blocks, steps) = (
            (shape.M + AmxBf16Kernel.Block - 1) / AmxBf16Kernel.Block,
            end - first,
            shape.N / AmxBf16Kernel.Depth
        );
        var packed = ArrayPool<ushort>.Shared.Rent(
            2 * blocks * AmxBlocks.MaxSteps * AmxBf16Kernel.TileLength + AmxBf16Kernel.Depth
        );
        var buffer = AmxBlocks.RentSums(rowBlocks * blocks);
        fixed (ushort* unalignedColumns = packed)
        fixed (float* unaligned = buffer)
        {
            var columns = AmxBlocks.Align(unalignedColumns);
            var sums = AmxBlocks.Align(unaligned);
            AmxBf16Kernel.Configure();
            for (var step = 0; step < steps; step += AmxBlocks.MaxSteps)
            {
                var count = Math.Min(AmxBlocks.MaxSteps, steps - step);
                var from = w + (long)step * AmxBf16Kernel.Depth * shape.K + first * AmxBf16Kernel.Block;
                PackColumns(from, shape.K, blocks, count, columns);
                MultiplyChunk(g, columns, sums, shape, blocks, (step, count));
            }

            AmxBf16Kernel.Release();
            WriteRows(sums, y, shape, first, end);
        }

        ArrayPool<float>.Shared.Return(buffer);
        ArrayPool<ushort>.Shared.Return(packed);
    }

    /// <summary>
    /// Lays blocks of 32 columns of W out as columns of tiles, <c>[blocks, 2, steps, 16 pairs, 16 columns, 2]</c>: its
    /// rows by twos. Memory is read along the rows.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void PackColumns(ushort* from, int stride, int blocks, int steps, ushort* to)
    {
        const int pairsAhead = 8;
        var (front, back) = (InterleaveFront, InterleaveBack);
        var tiles = (long)steps * AmxBf16Kernel.TileLength;
        for (var pair = 0; pair < steps * AmxBf16Kernel.Tile; pair++, from += 2L * stride, to += AmxBf16Kernel.Depth)
        {
            ushort* upperRow = from,
                lowerRow = from + stride,
                column = to;
            for (var block = 0; block < blocks; block++, column += 2 * tiles)
            {
                Sse.Prefetch0(upperRow + 2L * pairsAhead * stride);
                Sse.Prefetch0(lowerRow + 2L * pairsAhead * stride);
                Vector512<ushort> upper = Vector512.Load(upperRow),
                    lower = Vector512.Load(lowerRow);
                Avx512BW.PermuteVar32x16x2(upper, front, lower).Store(column);
                Avx512BW.PermuteVar32x16x2(upper, back, lower).Store(column + tiles);
                upperRow += AmxBf16Kernel.Block;
                lowerRow += AmxBf16Kernel.Block;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void MultiplyChunk(
        ushort* g,
        ushort* columns,
        float* sums,
        SkinnyGemm.Shape shape,
        int blocks,
        (int First, int Count) steps
    )
    {
        var work = new AmxBf16Kernel.CallArguments
        {
            Stride = shape.N * sizeof(ushort),
            Steps = steps.Count,
            Sums = sums,
        };
        for (var row = 0; row < shape.M; row += AmxBf16Kernel.Block)
        {
            work.Rows = g + (long)GetFullBlock(row, shape.M) * shape.N + steps.First * AmxBf16Kernel.Depth;
            work.SecondRows = work.Rows + (long)AmxBf16Kernel.Tile * shape.N;
            for (var block = 0; block < blocks; block++)
            {
                work.Columns = columns + 2L * block * steps.Count * AmxBf16Kernel.TileLength;
                work.SecondColumns = work.Columns + (long)steps.Count * AmxBf16Kernel.TileLength;
                AmxBf16Kernel.Multiply(&work, 2, adds: steps.First > 0);
                work.Sums += 4 * AmxBf16Kernel.TileSums;
            }
        }
    }

    /// <summary>Where 32 rows begin that hold the rows from one on: the last ones overlap those before.</summary>
    static int GetFullBlock(int row, int rows) => Math.Min(row, rows - AmxBf16Kernel.Block);

    /// <summary>Writes sums of rows of G with columns of W where they belong, rounded.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void WriteRows(float* sums, ushort* y, SkinnyGemm.Shape shape, int first, int end)
    {
        for (var row = 0; row < shape.M; row += AmxBf16Kernel.Block)
        {
            for (var block = first; block < end; block++)
            {
                var to = y + (long)GetFullBlock(row, shape.M) * shape.K + block * AmxBf16Kernel.Block;
                for (var i = 0; i < AmxBf16Kernel.Block; i++, to += shape.K)
                {
                    var tiles = sums + (i / AmxBf16Kernel.Tile * AmxBf16Kernel.Tile + i) * AmxBf16Kernel.Tile;
                    Bf16.Narrow(Vector512.Load(tiles)).Store(to);
                    Bf16.Narrow(Vector512.Load(tiles + AmxBf16Kernel.TileSums)).Store(to + AmxBf16Kernel.Tile);
                }

                sums += 4 * AmxBf16Kernel.TileSums;
            }
        }
    }

    /// <summary>Numbers 0 to 15 of two registers by turns, and 16 to 31.</summary>
    static readonly Vector512<ushort> InterleaveFront = Vector512.Create(
        (ushort[])[.. Enumerable.Range(0, 32).Select(i => (ushort)(i / 2 + 32 * (i % 2)))]
    );
    static readonly Vector512<ushort> InterleaveBack = InterleaveFront + Vector512.Create((ushort)16);
}
