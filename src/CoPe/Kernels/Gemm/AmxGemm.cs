using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using CoPe.Kernels.Threads;

namespace CoPe.Kernels.Gemm;

/// <summary>
/// <c>Y = X W^T + b</c> for many rows X <c>[m, k]</c> and a frozen W <c>[n, k]</c>, all bf16, by
/// <see cref="AmxBf16Kernel"/>: the shape of prompts and training. W is read in place, in chunks that stay in the
/// second cache while all rows are multiplied with them (Goto and van de Geijn, 2008, ACM TOMS 34(3)). Sums are float32
/// and rounded once; each has one order, whatever m and the number of threads.
/// </summary>
static unsafe class AmxGemm
{
    /// <summary>Rows of X at a time, so that their sums with a chunk stay in the cache.</summary>
    const int MaxRowTiles = 16;

    /// <summary><c>Y = X W^T + b</c>.</summary>
    public static void Multiply(in SkinnyGemm.Operands operands, int threads)
    {
        var (job, tiles, steps) = (
            operands,
            AmxBlocks.CountTiles(operands.Shape.M),
            operands.Shape.K / AmxBf16Kernel.Depth
        );
        var buffer = ArrayPool<ushort>.Shared.Rent(tiles * steps * AmxBf16Kernel.TileLength + AmxBf16Kernel.Depth);
        try
        {
            fixed (ushort* unaligned = buffer)
            {
                var columns = AmxBlocks.Align(unaligned);
                WorkerTeam.Run(threads, tiles, tile => PackRows(job, tile, columns));
                AmxBlocks.RunOverBlocks(
                    job.Shape.N / AmxBf16Kernel.Block,
                    threads,
                    (first, end) => MultiplyRows(job, columns, first, end)
                );
            }
        }
        finally
        {
            ArrayPool<ushort>.Shared.Return(buffer);
        }
    }

    /// <summary>
    /// Lays 16 rows of X out as columns of tiles, <c>[k / 32, 16 pairs, 16 rows, 2]</c>; rows beyond the last are zero.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void PackRows(in SkinnyGemm.Operands operands, int tile, ushort* columns)
    {
        var (m, k) = (operands.Shape.M, operands.Shape.K);
        var lines = stackalloc Vector512<float>[AmxBf16Kernel.Tile];
        var to = (float*)(columns + (long)tile * AmxBf16Kernel.Tile * k);
        for (var depth = 0; depth < k; depth += AmxBf16Kernel.Depth, to += AmxBf16Kernel.TileSums)
        {
            for (var i = 0; i < AmxBf16Kernel.Tile; i++)
            {
                var row = tile * AmxBf16Kernel.Tile + i;
                lines[i] = row < m ? Vector512.Load((float*)(operands.GetColumn(row) + depth)) : default;
            }

            AmxBlocks.Transpose(lines);
            for (var i = 0; i < AmxBf16Kernel.Tile; i++)
            {
                lines[i].Store(to + AmxBf16Kernel.Tile * i);
            }
        }
    }

    /// <summary>
    /// Blocks of W's rows with all rows of X: tiles of W with columns of X, so that W stays where it is.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void MultiplyRows(in SkinnyGemm.Operands operands, ushort* columns, int first, int end)
    {
        var (tiles, blocks, steps) = (
            AmxBlocks.CountTiles(operands.Shape.M),
            end - first,
            operands.Shape.K / AmxBf16Kernel.Depth
        );
        var buffer = AmxBlocks.RentSums(blocks * (Math.Min(tiles, MaxRowTiles) + 1) / 2);
        fixed (float* unaligned = buffer)
        {
            var sums = AmxBlocks.Align(unaligned);
            for (var tile = 0; tile < tiles; tile += MaxRowTiles)
            {
                var count = Math.Min(MaxRowTiles, tiles - tile);
                AmxBf16Kernel.Configure();
                for (var step = 0; step < steps; step += AmxBlocks.MaxSteps)
                {
                    MultiplyChunk(operands, columns, sums, (first, end), (tile, tile + count), step);
                }

                AmxBf16Kernel.Release();
                WriteTransposed(operands, sums, (first, end), (tile, tile + count));
            }
        }

        ArrayPool<float>.Shared.Return(buffer);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void MultiplyChunk(
        in SkinnyGemm.Operands operands,
        ushort* columns,
        float* sums,
        (int First, int End) blocks,
        (int First, int End) tiles,
        int step
    )
    {
        var k = operands.Shape.K;
        var steps = k / AmxBf16Kernel.Depth;
        var work = new AmxBf16Kernel.CallArguments
        {
            Stride = k * sizeof(ushort),
            Steps = Math.Min(AmxBlocks.MaxSteps, steps - step),
            Sums = sums,
        };
        for (var tile = tiles.First; tile < tiles.End; tile += 2)
        {
            work.Columns = columns + ((long)tile * steps + step) * AmxBf16Kernel.TileLength;
            work.SecondColumns = work.Columns + (long)steps * AmxBf16Kernel.TileLength;
            for (var block = blocks.First; block < blocks.End; block++)
            {
                work.Rows = operands.GetWeightRow(block * AmxBf16Kernel.Block) + step * AmxBf16Kernel.Depth;
                work.SecondRows = work.Rows + (long)AmxBf16Kernel.Tile * k;
                AmxBf16Kernel.Multiply(&work, Math.Min(2, tiles.End - tile), adds: step > 0);
                work.Sums += 4 * AmxBf16Kernel.TileSums;
            }
        }
    }

    /// <summary>Writes sums of rows of W with columns of X where they belong, rounded.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void WriteTransposed(
        in SkinnyGemm.Operands operands,
        float* sums,
        (int First, int End) blocks,
        (int First, int End) tiles
    )
    {
        for (var tile = tiles.First; tile < tiles.End; tile += 2)
        {
            var count = Math.Min(2, tiles.End - tile);
            for (var block = blocks.First; block < blocks.End; block++, sums += 4 * AmxBf16Kernel.TileSums)
            {
                for (var i = 0; i < count; i++)
                {
                    var front = (Vector512<float>*)(sums + i * AmxBf16Kernel.TileSums);
                    var back = (Vector512<float>*)(sums + (i + count) * AmxBf16Kernel.TileSums);
                    WriteTransposed(operands, front, back, block * AmxBf16Kernel.Block, tile + i);
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void WriteTransposed(
        in SkinnyGemm.Operands operands,
        Vector512<float>* front,
        Vector512<float>* back,
        int n,
        int tile
    )
    {
        AmxBlocks.Transpose(front);
        AmxBlocks.Transpose(back);
        var bias = operands.Bias is null ? null : operands.Bias + n;
        var (frontBias, backBias) = bias is null
            ? (default, default)
            : (Vector512.Load(bias), Vector512.Load(bias + AmxBf16Kernel.Tile));
        var row = tile * AmxBf16Kernel.Tile;
        var rows = Math.Min(AmxBf16Kernel.Tile, operands.Shape.M - row);
        var to = operands.Y + (long)row * operands.Shape.N + n;
        for (var i = 0; i < rows; i++, to += operands.Shape.N)
        {
            Bf16.Narrow(front[i] + frontBias).Store(to);
            Bf16.Narrow(back[i] + backBias).Store(to + AmxBf16Kernel.Tile);
        }
    }
}
