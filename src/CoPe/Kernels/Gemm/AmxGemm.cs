using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using CoPe.Kernels.Threads;

namespace CoPe.Kernels.Gemm;

/// <summary>
/// <c>Y = X W^T + b</c> and <c>G W</c> for many rows X <c>[m, k]</c>, G <c>[m, n]</c> and a frozen W <c>[n, k]</c>, all
/// bf16, by <see cref="AmxBf16Kernel"/>: the shape of prompts and training. W is read in place, in chunks that stay in
/// the second cache while all rows are multiplied with them (Goto and van de Geijn, 2008, ACM TOMS 34(3)). Sums are
/// float32 and rounded once; each has one order, whatever m and the number of threads.
/// </summary>
static unsafe class AmxGemm
{
    /// <summary>
    /// Tiles of depth that a sum takes up at a time. With them, W's chunk takes an eighth of a second cache of 2 MB,
    /// which two threads may share.
    /// </summary>
    const int MaxSteps = 32;

    /// <summary>Rows of W, or columns of it, in a chunk.</summary>
    const int MaxChunk = 128;

    /// <summary>Rows of X at a time, so that their sums with a chunk stay in the cache.</summary>
    const int MaxRowTiles = 16;

    /// <summary>Whether both products of a W <c>[n, k]</c> can be taken.</summary>
    public static bool Supports(long n, long k) =>
        AmxBf16Kernel.IsSupported && n % AmxBf16Kernel.Block == 0 && k % AmxBf16Kernel.Depth == 0;

    /// <summary><c>Y = X W^T + b</c>.</summary>
    public static void Multiply(in SkinnyGemm.Operands operands, int threads)
    {
        var (job, tiles, steps) = (operands, CountTiles(operands.Shape.M), operands.Shape.K / AmxBf16Kernel.Depth);
        var buffer = ArrayPool<ushort>.Shared.Rent(tiles * steps * AmxBf16Kernel.TileLength + AmxBf16Kernel.Depth);
        try
        {
            fixed (ushort* unaligned = buffer)
            {
                var columns = Align(unaligned);
                WorkerTeam.Run(threads, tiles, tile => PackRows(job, tile, columns));
                RunOverBlocks(
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

    /// <summary><c>G W</c>, <c>[m, k]</c>.</summary>
    /// <param name="g"><c>[m, n]</c>, contiguous.</param>
    /// <param name="w"><c>[n, k]</c>, contiguous.</param>
    /// <param name="y">The result.</param>
    /// <param name="shape">m, n and k.</param>
    /// <param name="threads">Most threads.</param>
    public static void MultiplyTransposed(ushort* g, ushort* w, ushort* y, SkinnyGemm.Shape shape, int threads)
    {
        if (shape.M >= AmxBf16Kernel.Block)
        {
            RunOverBlocks(
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
                MultiplyTransposed(rows, w, products, padded, threads);
                new ReadOnlySpan<ushort>(products, results).CopyTo(new(y, results));
            }
        }
        finally
        {
            ArrayPool<ushort>.Shared.Return(buffer);
        }
    }

    static int CountTiles(int rows) => (rows + AmxBf16Kernel.Tile - 1) / AmxBf16Kernel.Tile;

    /// <summary>Divides blocks of W among threads, as evenly as they go.</summary>
    static void RunOverBlocks(int blocks, int threads, Action<int, int> body)
    {
        var chunks = (blocks * AmxBf16Kernel.Block + MaxChunk - 1) / MaxChunk;
        chunks = Math.Min(blocks, (chunks + threads - 1) / threads * threads);
        WorkerTeam.Run(threads, chunks, chunk => body(GetStart(chunk), GetStart(chunk + 1)));

        int GetStart(int chunk) => (int)((long)chunk * blocks / chunks);
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

            Transpose(lines);
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
            CountTiles(operands.Shape.M),
            end - first,
            operands.Shape.K / AmxBf16Kernel.Depth
        );
        var buffer = RentSums(blocks * (Math.Min(tiles, MaxRowTiles) + 1) / 2);
        fixed (float* unaligned = buffer)
        {
            var sums = Align(unaligned);
            for (var tile = 0; tile < tiles; tile += MaxRowTiles)
            {
                var count = Math.Min(MaxRowTiles, tiles - tile);
                AmxBf16Kernel.Configure();
                for (var step = 0; step < steps; step += MaxSteps)
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
            Steps = Math.Min(MaxSteps, steps - step),
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
        Transpose(front);
        Transpose(back);
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
            2 * blocks * MaxSteps * AmxBf16Kernel.TileLength + AmxBf16Kernel.Depth
        );
        var buffer = RentSums(rowBlocks * blocks);
        fixed (ushort* unalignedColumns = packed)
        fixed (float* unaligned = buffer)
        {
            var columns = Align(unalignedColumns);
            var sums = Align(unaligned);
            AmxBf16Kernel.Configure();
            for (var step = 0; step < steps; step += MaxSteps)
            {
                var count = Math.Min(MaxSteps, steps - step);
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

    /// <summary>Transposes a matrix of 16 x 16 numbers in place.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void Transpose(Vector512<float>* rows)
    {
        for (var i = 0; i < AmxBf16Kernel.Tile; i += 4)
        {
            Vector512<double> ab = Avx512F.UnpackLow(rows[i], rows[i + 1]).AsDouble(),
                ab2 = Avx512F.UnpackHigh(rows[i], rows[i + 1]).AsDouble(),
                cd = Avx512F.UnpackLow(rows[i + 2], rows[i + 3]).AsDouble(),
                cd2 = Avx512F.UnpackHigh(rows[i + 2], rows[i + 3]).AsDouble();
            rows[i] = Avx512F.UnpackLow(ab, cd).AsSingle();
            rows[i + 1] = Avx512F.UnpackHigh(ab, cd).AsSingle();
            rows[i + 2] = Avx512F.UnpackLow(ab2, cd2).AsSingle();
            rows[i + 3] = Avx512F.UnpackHigh(ab2, cd2).AsSingle();
        }

        // Now a row holds, in its lane l, column 4 l + (row mod 4) of its group of four rows.
        var columns = stackalloc Vector512<float>[AmxBf16Kernel.Tile];
        for (var i = 0; i < 4; i++)
        {
            Vector512<float> front = Avx512F.Shuffle4x128(rows[i], rows[i + 4], 0x44),
                front2 = Avx512F.Shuffle4x128(rows[i], rows[i + 4], 0xEE),
                back = Avx512F.Shuffle4x128(rows[i + 8], rows[i + 12], 0x44),
                back2 = Avx512F.Shuffle4x128(rows[i + 8], rows[i + 12], 0xEE);
            columns[i] = Avx512F.Shuffle4x128(front, back, 0x88);
            columns[i + 4] = Avx512F.Shuffle4x128(front, back, 0xDD);
            columns[i + 8] = Avx512F.Shuffle4x128(front2, back2, 0x88);
            columns[i + 12] = Avx512F.Shuffle4x128(front2, back2, 0xDD);
        }

        for (var i = 0; i < AmxBf16Kernel.Tile; i++)
        {
            rows[i] = columns[i];
        }
    }

    static float[] RentSums(int blocks) =>
        ArrayPool<float>.Shared.Rent(blocks * 4 * AmxBf16Kernel.TileSums + AmxBf16Kernel.Tile);

    /// <summary>The next address that begins a cache line.</summary>
    static T* Align<T>(T* address)
        where T : unmanaged => (T*)((nint)address + 63 & ~63);

    /// <summary>Numbers 0 to 15 of two registers by turns, and 16 to 31.</summary>
    static readonly Vector512<ushort> InterleaveFront = Vector512.Create(
        (ushort[])[.. Enumerable.Range(0, 32).Select(i => (ushort)(i / 2 + 32 * (i % 2)))]
    );
    static readonly Vector512<ushort> InterleaveBack = InterleaveFront + Vector512.Create((ushort)16);
}
