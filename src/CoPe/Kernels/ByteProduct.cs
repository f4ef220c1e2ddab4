using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace CoPe.Kernels;

/// <summary>
/// <c>Y = X W^T + b</c> for rows X <c>[m, k]</c>, bf16, and a frozen int8 W <c>[n, k]</c>, packed by <see cref="ByteWeights"/>, b <c>[n]</c> (or null). Each row of X is rounded to int16 by its own factor
/// (<see cref="WordColumn"/>) and the sums are of whole numbers, so that a row's result has the same bits in any company, with any number of threads.
/// </summary>
static unsafe class ByteProduct
{
    /// <summary>Columns that a thread rounds at a time: fewer are not worth waking another.</summary>
    const int ColumnsPerPiece = 16;

    /// <summary>What a product reads besides X: packed weights, a factor a row of them, b or null; and its sizes.</summary>
    /// <param name="Weights">W, packed: <see cref="ByteWeights"/>.</param>
    /// <param name="Scales">W's factors, as many as packed rows.</param>
    /// <param name="Bias">b, or null.</param>
    /// <param name="Sizes">m, n and k.</param>
    public readonly record struct Factors(nint Weights, nint Scales, nint Bias, FewRowsProduct.Sizes Sizes)
    {
        /// <summary>Numbers of a packed row.</summary>
        public int Length => ByteWeights.PackedLength(Sizes.K);
    }

    /// <summary>The product by the widest registers of this processor.</summary>
    public static void Multiply(ushort* x, in Factors factors, ushort* y, int threads)
    {
        if (Avx512BW.IsSupported && Vector512.IsHardwareAccelerated) Multiply<Words512>(x, factors, y, threads);
        else Multiply<Words256>(x, factors, y, threads);
    }

    /// <summary>The product by registers of one width.</summary>
    public static void Multiply<T>(ushort* x, Factors factors, ushort* y, int threads) where T : struct, IWords<T>
    {
        var (m, k, length) = (factors.Sizes.M, factors.Sizes.K, factors.Length);
        var words = ArrayPool<short>.Shared.Rent(m * length);
        var scales = ArrayPool<float>.Shared.Rent(m);
        fixed (short* columns = words)
        fixed (float* columnScales = scales)
        {
            var (from, by) = ((nint)columns, (nint)columnScales);
            KernelTeam.Run(threads, (m + ColumnsPerPiece - 1) / ColumnsPerPiece, piece =>
            {
                for (var row = piece * ColumnsPerPiece; row < Math.Min(m, (piece + 1) * ColumnsPerPiece); row++)
                    ((float*)by)[row] = WordColumn.Round(x + (long)row * k, (short*)from + (long)row * length, k, length);
            });
            WeightRows.Share(factors.Sizes.N, length, threads, (first, end) => Rows<T>((short*)from, (float*)by, factors, y, first, end));
        }
        ArrayPool<short>.Shared.Return(words);
        ArrayPool<float>.Shared.Return(scales);
    }

    /// <summary>A few columns meet all rows of a piece before the next few do: so many columns stay in the first cache, and the piece in the second.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void Rows<T>(short* columns, float* columnScales, in Factors factors, ushort* y, int first, int end) where T : struct, IWords<T>
    {
        var sums = stackalloc float[4 * T.Columns];
        var (sizes, length) = (factors.Sizes, factors.Length);
        var weights = (sbyte*)factors.Weights;
        float* scales = (float*)factors.Scales, bias = (float*)factors.Bias;
        for (int m = 0, count; m < sizes.M; m += count)
        {
            count = T.Columns;
            while (count > sizes.M - m) count /= 2;
            for (var n = first; n < end; n += 4)
            {
                FourByteRows<T>.Multiply(weights + (long)n * length, count, columns + (long)m * length, length, sums);
                var rowScales = Vector128.Load(scales + n);
                for (var c = 0; c < count; c++)
                {
                    var scaled = Vector128.Load(sums + 4 * c) * (rowScales * columnScales[m + c]);
                    var to = y + (long)(m + c) * sizes.N + n;
                    if (end - n >= 4) Bf16.Store(bias is null ? scaled : scaled + Vector128.Load(bias + n), to);
                    else
                        for (var i = 0; i < end - n; i++) to[i] = Bf16.FromSingle(scaled[i] + (bias is null ? 0 : bias[n + i]));
                }
            }
        }
    }
}
