using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using CoPe.Kernels.Threads;

namespace CoPe.Kernels.Gemm;

/// <summary>How products by tiles are divided, and what their operands share.</summary>
static unsafe class AmxBlocks
{
    /// <summary>
    /// Tiles of depth that a sum takes up at a time. With them, W's chunk takes an eighth of a second cache of 2 MB,
    /// which two threads may share.
    /// </summary>
    public const int MaxSteps = 32;

    /// <summary>Rows of W, or columns of it, in a chunk.</summary>
    const int MaxChunk = 128;

    /// <summary>Whether both products of a W <c>[n, k]</c> can be taken.</summary>
    public static bool Supports(long n, long k) =>
        AmxBf16Kernel.IsSupported && n % AmxBf16Kernel.Block == 0 && k % AmxBf16Kernel.Depth == 0;

    /// <summary>Tiles that so many rows take.</summary>
    public static int CountTiles(int rows) => (rows + AmxBf16Kernel.Tile - 1) / AmxBf16Kernel.Tile;

    /// <summary>Divides blocks of W among threads, as evenly as they go.</summary>
    public static void RunOverBlocks(int blocks, int threads, Action<int, int> body)
    {
        var chunks = (blocks * AmxBf16Kernel.Block + MaxChunk - 1) / MaxChunk;
        chunks = Math.Min(blocks, (chunks + threads - 1) / threads * threads);
        WorkerTeam.Run(threads, chunks, chunk => body(GetStart(chunk), GetStart(chunk + 1)));

        int GetStart(int chunk) => (int)((long)chunk * blocks / chunks);
    }

    /// <summary>Transposes a matrix of 16 x 16 numbers in place.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Transpose(Vector512<float>* rows)
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

    /// <summary>A buffer for the sums of so many blocks of 32 x 32, aligned or not.</summary>
    public static float[] RentSums(int blocks) =>
        ArrayPool<float>.Shared.Rent(blocks * 4 * AmxBf16Kernel.TileSums + AmxBf16Kernel.Tile);

    /// <summary>The next address that begins a cache line.</summary>
    public static T* Align<T>(T* address)
        where T : unmanaged => (T*)((nint)address + 63 & ~63);
}
