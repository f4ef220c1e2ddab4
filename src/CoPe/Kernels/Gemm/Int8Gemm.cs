using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using CoPe.Kernels.Threads;

namespace CoPe.Kernels.Gemm;

/// <summary>
/// <c>Y = X W^T + b</c> for rows X <c>[m, k]</c>, bf16, and a frozen int8 W <c>[n, k]</c>, packed by
/// <see cref="Int8Weights"/>, b <c>[n]</c> (or null). Each row of X is rounded to int16 by its own scale
/// (<see cref="Int16Activations"/>) and the sums are of whole numbers, so that a row's result has the same bits in any
/// batch, with any number of threads.
/// </summary>
static unsafe class Int8Gemm
{
    /// <summary>Columns that a thread rounds at a time: fewer are not worth waking another.</summary>
    const int ColumnsPerChunk = 16;

    /// <summary>
    /// What a product reads besides X: packed weights, a scale for each row of them, b or null; and its sizes.
    /// </summary>
    /// <param name="Weights">W, packed: <see cref="Int8Weights"/>.</param>
    /// <param name="Scales">W's scales, as many as packed rows.</param>
    /// <param name="Bias">b, or null.</param>
    /// <param name="Shape">m, n and k.</param>
    public readonly record struct Operands(nint Weights, nint Scales, nint Bias, SkinnyGemm.Shape Shape)
    {
        /// <summary>Numbers of a packed row.</summary>
        public int Length => Int8Weights.GetPackedLength(Shape.K);
    }

    /// <summary>The product by the widest registers of this processor.</summary>
    public static void Multiply(ushort* x, in Operands operands, ushort* y, int threads)
    {
        if (Avx512BW.IsSupported && Vector512.IsHardwareAccelerated)
        {
            Multiply<Int16Vector512>(x, operands, y, threads);
        }
        else
        {
            Multiply<Int16Vector256>(x, operands, y, threads);
        }
    }

    /// <summary>The product by registers of one width.</summary>
    public static void Multiply<T>(ushort* x, Operands operands, ushort* y, int threads)
        where T : struct, IInt16Vector<T>
    {
        var (m, length) = (operands.Shape.M, operands.Length);
        var columns = ArrayPool<short>.Shared.Rent(m * length);
        var columnScales = ArrayPool<float>.Shared.Rent(m);
        try
        {
            fixed (short* fixedColumns = columns)
            fixed (float* fixedScales = columnScales)
            {
                // A lambda cannot capture a fixed pointer.
                var quantized = fixedColumns;
                var scales = fixedScales;
                QuantizeColumns(x, operands, quantized, scales, threads);
                RowPartition.Run(
                    operands.Shape.N,
                    length,
                    threads,
                    (first, end) => MultiplyRows<T>(quantized, scales, operands, y, first, end)
                );
            }
        }
        finally
        {
            ArrayPool<short>.Shared.Return(columns);
            ArrayPool<float>.Shared.Return(columnScales);
        }
    }

    static void QuantizeColumns(ushort* x, Operands operands, short* quantized, float* scales, int threads)
    {
        var (m, k, length) = (operands.Shape.M, operands.Shape.K, operands.Length);
        WorkerTeam.Run(
            threads,
            (m + ColumnsPerChunk - 1) / ColumnsPerChunk,
            chunk =>
            {
                var end = Math.Min(m, (chunk + 1) * ColumnsPerChunk);
                for (long row = chunk * ColumnsPerChunk; row < end; row++)
                {
                    scales[row] = Int16Activations.Quantize(x + row * k, quantized + row * length, k, length);
                }
            }
        );
    }

    /// <summary>
    /// A few columns are multiplied with all rows of a chunk before the next few are: so many columns stay in the first
    /// cache, and the chunk in the second.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void MultiplyRows<T>(
        short* columns,
        float* columnScales,
        in Operands operands,
        ushort* y,
        int first,
        int end
    )
        where T : struct, IInt16Vector<T>
    {
        var sums = stackalloc float[4 * T.MaxColumns];
        var (sizes, length) = (operands.Shape, operands.Length);
        var weights = (sbyte*)operands.Weights;
        var scales = (float*)operands.Scales;
        var bias = (float*)operands.Bias;
        for (int m = 0, count; m < sizes.M; m += count)
        {
            count = T.MaxColumns;
            while (count > sizes.M - m)
            {
                count /= 2;
            }

            for (var n = first; n < end; n += 4)
            {
                Int8MicroKernel<T>.Multiply(
                    weights + (long)n * length,
                    count,
                    columns + (long)m * length,
                    length,
                    sums
                );
                var rowScales = Vector128.Load(scales + n);
                for (var c = 0; c < count; c++)
                {
                    var scaled = Vector128.Load(sums + 4 * c) * (rowScales * columnScales[m + c]);
                    var to = y + (long)(m + c) * sizes.N + n;
                    if (end - n >= 4)
                    {
                        Bf16.Store(bias is null ? scaled : scaled + Vector128.Load(bias + n), to);
                    }
                    else
                    {
                        for (var i = 0; i < end - n; i++)
                        {
                            to[i] = Bf16.FromSingle(scaled[i] + (bias is null ? 0 : bias[n + i]));
                        }
                    }
                }
            }
        }
    }
}

/// <summary>Rows of bf16 numbers rounded to int16, one scale per row: what int8 weights are multiplied with.</summary>
static unsafe class Int16Activations
{
    /// <summary>
    /// The largest number of a column of so many: at most an int16's, and so small that no register's int32 sums of
    /// products with int8 numbers can overflow, 16 numbers to a register.
    /// </summary>
    public static int GetMaxLevel(int length) =>
        (int)Math.Min(short.MaxValue, int.MaxValue / (2L * Int8Weights.MaxLevel * (length / Int16Vector256.Count)));

    /// <summary>
    /// <c>to[i] = round(row[i] / scale)</c>, zeros from <paramref name="k"/> to <paramref name="length"/>, a multiple
    /// of 16. Returns the scale, <c>max |row| / maxLevel</c>: 1 for a row of zeros, NaN where a number is not finite,
    /// so that every product of such a row is NaN too.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Quantize(ushort* row, short* to, int k, int length)
    {
        new Span<short>(to, length).Clear();
        var most = FindMaxMagnitude(row, k);
        if (!float.IsFinite(most))
        {
            return float.NaN;
        }

        if (most == 0)
        {
            return 1;
        }

        var inverse = GetMaxLevel(length) / most;
        if (!float.IsFinite(inverse))
        {
            return 1; // numbers so small that the scale's inverse is infinite: their products vanish in bf16's sums
        }

        var i = 0;
        for (; i + 16 <= k; i += 16)
        {
            Vector256
                .Narrow(QuantizeVector(Bf16.Widen(row + i), inverse), QuantizeVector(Bf16.Widen(row + i + 8), inverse))
                .Store(to + i);
        }

        for (; i < k; i++)
        {
            to[i] = (short)MathF.Round(Bf16.ToSingle(row[i]) * inverse);
        }

        return 1 / inverse;
    }

    static Vector256<int> QuantizeVector(Vector256<float> numbers, float inverse) =>
        Vector256.ConvertToInt32Native(Vector256.Round(numbers * inverse));

    /// <summary>
    /// The largest magnitude of bf16 numbers; without signs, the order of the bits is that of the numbers, infinity and
    /// NaN last.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float FindMaxMagnitude(ushort* numbers, int count)
    {
        var largest = Vector256<ushort>.Zero;
        var i = 0;
        for (; i + 16 <= count; i += 16)
        {
            largest = Vector256.Max(largest, Vector256.Load(numbers + i) & Vector256.Create((ushort)0x7FFF));
        }

        var most = (ushort)0;
        for (var lane = 0; lane < 16; lane++)
        {
            most = Math.Max(most, largest[lane]);
        }

        for (; i < count; i++)
        {
            most = Math.Max(most, (ushort)(numbers[i] & 0x7FFF));
        }

        return Bf16.ToSingle(most);
    }
}
