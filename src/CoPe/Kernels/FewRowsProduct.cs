using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace CoPe.Kernels;

/// <summary>
/// <c>Y = X W^T + b</c> for a few rows X <c>[m, k]</c> and a large frozen W <c>[n, k]</c>, both bf16, b <c>[n]</c> (or null) and sums in float32: the shape of decoding, where time is what it takes to read W.
/// W is read once, in place. Each result is summed in one order, whatever m and the number of threads.
/// </summary>
static unsafe class FewRowsProduct
{
    /// <summary>Whether m rows of length k are few enough that reading the weights decides: one or two always, up to eight of long rows. Measured against oneDNN's bf16 product.</summary>
    public static bool IsFaster(long m, long k) => m is 1 or 2 || (m is > 2 and <= 8 && k >= 100 * m);

    /// <summary>Weights per piece of work: large enough that handing it out costs nothing, small enough that a busy core delays the end little.</summary>
    const long WeightsPerChunk = 128 * 1024;

    /// <summary>Sizes of a product: X <c>[m, k]</c>, W <c>[n, k]</c>, Y <c>[m, n]</c>.</summary>
    public readonly record struct Sizes(int M, int N, int K);

    /// <summary>The product by the widest registers of this processor.</summary>
    public static void Multiply(ushort* x, ushort* weights, float* bias, ushort* y, Sizes sizes, int threads)
    {
        if (Vector512.IsHardwareAccelerated) Multiply<Lanes512>(x, weights, bias, y, sizes, threads);
        else Multiply<Lanes256>(x, weights, bias, y, sizes, threads);
    }

    /// <summary>The product by registers of one width.</summary>
    public static void Multiply<T>(ushort* x, ushort* weights, float* bias, ushort* y, Sizes sizes, int threads) where T : struct, ILanes<T>
    {
        var buffer = ArrayPool<float>.Shared.Rent(sizes.M * sizes.K);
        try
        {
            fixed (float* columns = buffer)
            {
                for (var m = 0; m < sizes.M; m++) FourRows<T>.Part(x + (long)m * sizes.K, columns + (long)m * sizes.K, sizes.K);
                RunChunks<T>(columns, weights, bias, y, sizes, threads);
            }
        }
        finally
        {
            ArrayPool<float>.Shared.Return(buffer);
        }
    }

    static void RunChunks<T>(float* columns, ushort* weights, float* bias, ushort* y, Sizes sizes, int threads) where T : struct, ILanes<T>
    {
        var rowsPerChunk = (int)Math.Max(4, WeightsPerChunk / sizes.K / 4 * 4);
        var chunks = (sizes.N + rowsPerChunk - 1) / rowsPerChunk;
        // Pieces go to whoever is free: with equal halves the slower core would decide.
        KernelTeam.Run(threads, chunks, chunk => Rows<T>(columns, weights, bias, y, sizes, chunk * rowsPerChunk, Math.Min(sizes.N, (chunk + 1) * rowsPerChunk)));
    }

    /// <summary>A few columns meet all rows of a piece before the next few do: so many columns stay in the first cache, and the piece in the second.</summary>
    static void Rows<T>(float* columns, ushort* weights, float* bias, ushort* y, Sizes sizes, int first, int end) where T : struct, ILanes<T>
    {
        var sums = stackalloc float[4 * T.Columns];
        var whole = sizes.K / FourRows<T>.Block * FourRows<T>.Block;
        for (int m = 0, count; m < sizes.M; m += count)
        {
            count = T.Columns;
            while (count > sizes.M - m) count /= 2;
            for (var n = first; n < end; n += 4)
            {
                ushort* Row(int i) => weights + (long)Math.Min(n + i, end - 1) * sizes.K; // past the end the last row stands in
                var rows = new FourRows<T>.Rows(Row(0), Row(1), Row(2), Row(3), whole, weights + (n + 4L) * sizes.K);
                FourRows<T>.Multiply(rows, count, columns + (long)m * sizes.K, sizes.K, sums);
                for (var c = 0; c < count; c++)
                {
                    var to = y + (long)(m + c) * sizes.N + n;
                    if (whole == sizes.K && end - n >= 4) Bf16.Store(bias is null ? Vector128.Load(sums + 4 * c) : Vector128.Load(sums + 4 * c) + Vector128.Load(bias + n), to);
                    else
                        for (var i = 0; i < Math.Min(4, end - n); i++)
                            to[i] = Bf16.FromSingle(sums[4 * c + i] + Tail(Row(i), columns + (long)(m + c) * sizes.K, whole, sizes.K) + (bias is null ? 0 : bias[n + i]));
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
}
