using System.Buffers;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using CoPe.Kernels.Threads;
using CoPe.Kernels.Torch;

namespace CoPe.Kernels.Gemm;

/// <summary>
/// <c>Y = X W^T + b</c> for a few rows X <c>[m, k]</c> and a large frozen W <c>[n, k]</c>, both bf16, b <c>[n]</c> (or
/// null) and sums in float32: the shape of decoding, where time is what it takes to read W. W is read once, in place.
/// Each result is summed in one order, whatever m and the number of threads.
/// </summary>
static unsafe class SkinnyGemm
{
    /// <summary>
    /// Whether m rows of length k are few enough that reading the weights decides: up to 32 where
    /// <see cref="Vdpbf16Kernel"/> multiplies them or torch has no bf16 product of its own, else, measured against
    /// oneDNN's, one or two always and up to eight of long rows.
    /// </summary>
    public static bool IsFaster(long m, long k) =>
        Vdpbf16Kernel.IsSupported || MatrixProduct.UpcastsBf16(TorchSharp.torch.CPU)
            ? m is >= 1 and <= 32
            : m is 1 or 2 || (m is > 2 and <= 8 && k >= 100 * m);

    /// <summary>Sizes of a product: X <c>[m, k]</c>, W <c>[n, k]</c>, Y <c>[m, n]</c>.</summary>
    public readonly record struct Shape(int M, int N, int K);

    /// <summary>Where a product's numbers lie.</summary>
    public readonly struct Operands(ushort* x, ushort* weights, float* bias, ushort* y, Shape sizes)
    {
        public readonly ushort* X = x,
            Weights = weights,
            Y = y;
        public readonly float* Bias = bias;
        public readonly Shape Shape = sizes;

        public ushort* GetWeightRow(int n) => Weights + (long)n * Shape.K;

        public ushort* GetColumn(int m) => X + (long)m * Shape.K;
    }

    /// <summary>The product by the best instructions of this processor.</summary>
    public static void Multiply(in Operands operands, int threads)
    {
        if (Vdpbf16Kernel.IsSupported)
        {
            MultiplyVdpbf16(operands, threads);
        }
        else if (Vector512.IsHardwareAccelerated)
        {
            Multiply<FloatVector512>(operands, threads);
        }
        else
        {
            Multiply<FloatVector256>(operands, threads);
        }
    }

    /// <summary>The product by <see cref="Vdpbf16Kernel"/>.</summary>
    public static void MultiplyVdpbf16(in Operands operands, int threads)
    {
        var (m, k) = (operands.Shape.M, operands.Shape.K);
        var whole = k / Vdpbf16Kernel.Block * Vdpbf16Kernel.Block;
        var buffer = ArrayPool<ushort>.Shared.Rent(m * whole + 32);
        try
        {
            fixed (ushort* unaligned = buffer)
            {
                var columns = AlignToCacheLine(unaligned);
                for (int c = 0, count; c < m; c += count)
                {
                    Vdpbf16Kernel.PackColumns(
                        operands.GetColumn(c),
                        k,
                        count = ChooseColumnCount(m - c, Vdpbf16Kernel.MaxColumns),
                        columns + (long)c * whole
                    );
                }

                var job = operands;
                RunOverRows(job, threads, (first, end) => MultiplyRowsVdpbf16(job, columns, first, end));
            }
        }
        finally
        {
            ArrayPool<ushort>.Shared.Return(buffer);
        }
    }

    /// <summary>The product by registers of one width.</summary>
    public static void Multiply<T>(in Operands operands, int threads)
        where T : struct, IFloatVector<T>
    {
        var (m, k) = (operands.Shape.M, operands.Shape.K);
        var buffer = ArrayPool<float>.Shared.Rent(m * k);
        try
        {
            fixed (float* fixedBuffer = buffer)
            {
                var columns = fixedBuffer;
                for (var c = 0; c < m; c++)
                {
                    Bf16MicroKernel<T>.Deinterleave(operands.GetColumn(c), columns + (long)c * k, k);
                }

                var job = operands;
                RunOverRows(job, threads, (first, end) => MultiplyRows<T>(job, columns, first, end));
            }
        }
        finally
        {
            ArrayPool<float>.Shared.Return(buffer);
        }
    }

    static void RunOverRows(in Operands operands, int threads, Action<int, int> rows) =>
        RowPartition.Run(operands.Shape.N, operands.Shape.K * sizeof(ushort), threads, rows);

    /// <summary>
    /// A few columns are multiplied with all rows of a chunk before the next few are: so many columns stay in the first
    /// cache, and the chunk in the second.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void MultiplyRows<T>(in Operands operands, float* columns, int first, int end)
        where T : struct, IFloatVector<T>
    {
        var sums = stackalloc float[4 * Bf16MicroKernel<T>.MaxColumns];
        var (m, k, whole) = (
            operands.Shape.M,
            operands.Shape.K,
            operands.Shape.K / Bf16MicroKernel<T>.Block * Bf16MicroKernel<T>.Block
        );
        for (int c = 0, count; c < m; c += count)
        {
            count = ChooseColumnCount(m - c, Bf16MicroKernel<T>.MaxColumns);
            for (var n = first; n < end; n += 4)
            {
                ushort* a = operands.GetWeightRow(n),
                    b = operands.GetWeightRow(Math.Min(n + 1, end - 1)),
                    d = operands.GetWeightRow(Math.Min(n + 2, end - 1)),
                    e = operands.GetWeightRow(Math.Min(n + 3, end - 1)); // past the end the last row stands in
                Bf16MicroKernel<T>.Multiply(
                    new(a, b, d, e, whole, operands.GetWeightRow(n + 4)),
                    count,
                    columns + (long)c * k,
                    k,
                    sums
                );
                for (var i = 0; i < count; i++)
                {
                    WriteResults(operands, Vector128.Load(sums + 4 * i), c + i, n, Math.Min(n + 4, end), whole);
                }
            }
        }
    }

    /// <summary>
    /// Four rows are multiplied with all columns before the next four are; those are prefetched meanwhile, a share
    /// beside each few columns: fetched beside the first few alone, memory would rest while the others are multiplied.
    /// Rows that are fewer than four go one by one.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void MultiplyRowsVdpbf16(in Operands operands, ushort* columns, int first, int end)
    {
        var lanes = stackalloc float[4 * Vdpbf16Kernel.MaxColumns * Vdpbf16Kernel.SumLanes + 16];
        var (m, k) = (operands.Shape.M, operands.Shape.K);
        var lines = (m / Vdpbf16Kernel.MaxColumns + BitOperations.PopCount((uint)m % Vdpbf16Kernel.MaxColumns)) switch
        {
            1 => 4,
            2 or 3 => 2,
            _ => 1,
        }; // by the number of calls
        var work = new Vdpbf16Kernel.CallArguments
        {
            Steps = k / Vdpbf16Kernel.Block,
            Sums = (float*)AlignToCacheLine((ushort*)lanes),
        };
        for (int n = first, step; n < end; n += step)
        {
            step = end - n >= 4 ? 4 : 1;
            work.Weights = operands.GetWeightRow(n);
            work.Stride = step == 4 ? k * sizeof(ushort) : 0;
            work.Next = operands.GetWeightRow(n + 4);
            for (int c = 0, count; c < m; c += count)
            {
                count = ChooseColumnCount(m - c, Vdpbf16Kernel.MaxColumns);
                work.Columns = columns + (long)c * Vdpbf16Kernel.Block * work.Steps;
                Vdpbf16Kernel.Multiply(&work, count, lines);
                work.Next += Vdpbf16Kernel.Block * lines * work.Steps;
                var sums = Vdpbf16Kernel.ReduceSums(work, count);
                if (step == 4 && k % Vdpbf16Kernel.Block == 0)
                {
                    WriteResults(operands, sums, c, count, n);
                }
                else
                {
                    for (var i = 0; i < count; i++)
                    {
                        WriteResults(
                            operands,
                            Vector512
                                .Shuffle(sums, Vector512.Create(4 * i) + Vector512<int>.Indices)
                                .GetLower()
                                .GetLower(),
                            c + i,
                            n,
                            n + step,
                            Vdpbf16Kernel.Block * (int)work.Steps
                        );
                    }
                }
            }
        }
    }

    /// <summary>Writes the results <c>[columns, 4 rows]</c> of a few columns, for rows of whole blocks.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void WriteResults(in Operands operands, Vector512<float> sums, int column, int columns, int first)
    {
        if (operands.Bias is not null)
        {
            var bias = Vector128.Load(operands.Bias + first);
            sums += Vector512.Create(Vector256.Create(bias, bias), Vector256.Create(bias, bias));
        }
        var rounded = Bf16.Narrow(sums).AsUInt64();
        var to = operands.Y + (long)column * operands.Shape.N + first;
        for (var i = 0; i < columns; i++, to += operands.Shape.N)
        {
            *(ulong*)to = rounded[i];
        }
    }

    /// <summary>
    /// Writes the results of one column and up to four rows: what whole blocks came to, the rest of the length, and the
    /// bias.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void WriteResults(in Operands operands, Vector128<float> sums, int column, int first, int end, int whole)
    {
        var to = operands.Y + (long)column * operands.Shape.N + first;
        var bias = operands.Bias is null ? null : operands.Bias + first;
        if (whole == operands.Shape.K && end - first == 4)
        {
            Bf16.Store(bias is null ? sums : sums + Vector128.Load(bias), to);
        }
        else
        {
            for (var i = 0; i < end - first; i++)
            {
                to[i] = Bf16.FromSingle(
                    sums[i]
                        + DotTail(operands.GetWeightRow(first + i), operands.GetColumn(column), whole, operands.Shape.K)
                        + (bias is null ? 0 : bias[i])
                );
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static float DotTail(ushort* row, ushort* column, int from, int to)
    {
        var sum = 0f;
        for (var k = from; k < to; k++)
        {
            sum += Bf16.ToSingle(row[k]) * Bf16.ToSingle(column[k]);
        }

        return sum;
    }

    /// <summary>How many of the columns left to take at once: 1, 2 or 4.</summary>
    static int ChooseColumnCount(int left, int most)
    {
        while (most > left)
        {
            most /= 2;
        }

        return most;
    }

    /// <summary>
    /// The next address that begins a cache line: a register's load across two lines takes twice as long.
    /// </summary>
    static ushort* AlignToCacheLine(ushort* address) => (ushort*)((nint)address + 63 & ~63);
}
