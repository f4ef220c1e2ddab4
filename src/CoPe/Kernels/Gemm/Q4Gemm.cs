using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using CoPe.Kernels.Threads;

namespace CoPe.Kernels.Gemm;

/// <summary>
/// <c>Y = X W^T + b</c> for rows X <c>[m, k]</c>, bf16, and a W <c>[n, k]</c> of 4 bits. X is rounded to int8 in
/// groups of 32 (<see cref="Int8Activations"/>), so that a group's sum is of whole numbers; groups are added in their
/// order, so that a row's result has the same bits in any batch, with any number of threads.
/// </summary>
static unsafe class Q4Gemm
{
    /// <summary>Rows of X that a thread rounds at a time: fewer are not worth waking another.</summary>
    const int RowsPerChunk = 16;

    /// <summary>The product by the fastest instructions of this processor.</summary>
    public static void Multiply(Q4Weights weights, ushort* x, int m, float* bias, ushort* y, int threads)
    {
        if (AvxVnni.IsSupported)
        {
            Multiply<VnniByteProducts>(weights, x, m, bias, y, threads);
        }
        else if (Avx2.IsSupported)
        {
            Multiply<Avx2ByteProducts>(weights, x, m, bias, y, threads);
        }
        else
        {
            Multiply<PortableByteProducts>(weights, x, m, bias, y, threads);
        }
    }

    /// <summary>The product by one way to multiply whole numbers.</summary>
    public static void Multiply<TProducts>(Q4Weights weights, ushort* x, int m, float* bias, ushort* y, int threads)
        where TProducts : struct, IByteProducts
    {
        var groups = Q4Weights.CountGroups(weights.Inputs);
        var levels = ArrayPool<sbyte>.Shared.Rent(m * groups * Q4Group.Size);
        var factors = ArrayPool<float>.Shared.Rent(2 * m * groups);
        try
        {
            fixed (sbyte* levelsAt = levels)
            fixed (float* scalesAt = factors)
            {
                var columns = new Q4Columns((nint)levelsAt, (nint)scalesAt, (nint)(scalesAt + m * groups), groups);
                Quantize(x, m, weights.Inputs, columns, threads);
                var to = new Q4Results((nint)y, (nint)bias, m, weights.Rows);
                RowPartition.Run(
                    (weights.Rows + Q4Weights.PanelRows - 1) / Q4Weights.PanelRows,
                    groups * Q4Weights.GroupBytes,
                    threads,
                    (first, end) => MultiplyPanels<TProducts>(weights, columns, to, first, end)
                );
            }
        }
        finally
        {
            ArrayPool<sbyte>.Shared.Return(levels);
            ArrayPool<float>.Shared.Return(factors);
        }
    }

    static void Quantize(ushort* x, int m, int k, Q4Columns columns, int threads) =>
        WorkerTeam.Run(
            threads,
            (m + RowsPerChunk - 1) / RowsPerChunk,
            chunk =>
            {
                var end = Math.Min(m, (chunk + 1) * RowsPerChunk);
                for (var row = chunk * RowsPerChunk; row < end; row++)
                {
                    var to = columns.From(row);
                    Int8Activations.Quantize(x + (long)row * k, k, to.Levels, to.Scales, to.Sums);
                }
            }
        );

    /// <summary>
    /// A few columns are multiplied with all panels of a chunk before the next few are: so many columns stay in the
    /// first cache, and the chunk in the second.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void MultiplyPanels<TProducts>(Q4Weights weights, in Q4Columns columns, in Q4Results to, int first, int end)
        where TProducts : struct, IByteProducts
    {
        var sums = stackalloc float[Q4MicroKernel.Rows * Q4MicroKernel.MaxColumns];
        var panelBytes = (long)columns.Groups * Q4Weights.GroupBytes;
        for (int column = 0, count; column < to.Columns; column += count)
        {
            count = Q4MicroKernel.MaxColumns;
            while (count > to.Columns - column)
            {
                count /= 2;
            }

            var some = columns.From(column);
            for (var half = 2 * first; half < 2 * end; half++)
            {
                var panel = weights.Panels + half / 2 * panelBytes;
                Q4MicroKernel.Multiply<TProducts>(panel, half % 2, some, count, sums);
                to.Store(sums, half * Q4MicroKernel.Rows, column, count);
            }
        }
    }
}

/// <summary>Where a product's results go.</summary>
/// <param name="At">Y <c>[m, n]</c>, bf16.</param>
/// <param name="BiasAt">b <c>[n]</c>, float32, or null.</param>
/// <param name="Columns">m.</param>
/// <param name="Rows">n.</param>
readonly unsafe record struct Q4Results(nint At, nint BiasAt, int Columns, int Rows)
{
    /// <summary>Adds the bias to eight rows' sums and stores them.</summary>
    public void Store(float* sums, int row, int column, int count)
    {
        var rows = Math.Min(Q4MicroKernel.Rows, Rows - row);
        if (rows <= 0)
        {
            return;
        }

        var bias = (float*)BiasAt;
        for (var c = 0; c < count; c++, sums += Q4MicroKernel.Rows)
        {
            var to = (ushort*)At + (long)(column + c) * Rows + row;
            if (rows == Q4MicroKernel.Rows)
            {
                var sum = Vector256.Load(sums);
                Bf16.Store(bias is null ? sum : sum + Vector256.Load(bias + row), to);
                continue;
            }

            for (var i = 0; i < rows; i++)
            {
                to[i] = Bf16.FromSingle(sums[i] + (bias is null ? 0 : bias[row + i]));
            }
        }
    }
}
