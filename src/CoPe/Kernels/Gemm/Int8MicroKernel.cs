using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace CoPe.Kernels.Gemm;

/// <summary>
/// Products of four int8 weight rows with one, two or four int16 columns. The rows are packed: 32 numbers of the first,
/// 32 of the second, of the third, of the fourth, then the next 32 of the first, so that memory sees one stream. Sums
/// are whole numbers until their end, so that a sum has the same bits whatever the number of columns.
/// </summary>
static unsafe class Int8MicroKernel<T>
    where T : struct, IInt16Vector<T>
{
    /// <summary>Consecutive numbers of a row.</summary>
    public const int Block = 32;

    /// <summary>
    /// <c>sums[4 * c + r] = row r . column c</c> over <paramref name="length"/> numbers, a multiple of the block;
    /// column c begins at <c>columns + c * length</c>.
    /// </summary>
    public static void Multiply(sbyte* rows, int count, short* columns, int length, float* sums)
    {
        if (count == 4)
        {
            MultiplyFourColumns(rows, columns, length, sums);
        }
        else if (count == 2)
        {
            MultiplyTwoColumns(rows, columns, length, sums);
        }
        else
        {
            MultiplyOneColumn(rows, columns, length, sums);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void MultiplyOneColumn(sbyte* rows, short* x, int length, float* sums)
    {
        T a = default,
            b = default,
            c = default,
            d = default;
        var next = rows + 4L * length;
        for (var k = 0; k < length; k += T.Count)
        {
            Prefetch(next + 4 * k);
            var at = GetBlock(rows, k);
            var column = T.Load(x + k);
            a = T.MultiplyAdd(T.Widen(at), column, a);
            b = T.MultiplyAdd(T.Widen(at + Block), column, b);
            c = T.MultiplyAdd(T.Widen(at + 2 * Block), column, c);
            d = T.MultiplyAdd(T.Widen(at + 3 * Block), column, d);
        }
        T.HorizontalSums(a, b, c, d).Store(sums);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void MultiplyTwoColumns(sbyte* rows, short* x, int length, float* sums)
    {
        T a0 = default,
            b0 = default,
            c0 = default,
            d0 = default,
            a1 = default,
            b1 = default,
            c1 = default,
            d1 = default;
        var y = x + length;
        var next = rows + 4L * length;
        for (var k = 0; k < length; k += T.Count)
        {
            Prefetch(next + 4 * k);
            var at = GetBlock(rows, k);
            T p = T.Load(x + k),
                q = T.Load(y + k);
            var w = T.Widen(at);
            a0 = T.MultiplyAdd(w, p, a0);
            a1 = T.MultiplyAdd(w, q, a1);
            w = T.Widen(at + Block);
            b0 = T.MultiplyAdd(w, p, b0);
            b1 = T.MultiplyAdd(w, q, b1);
            w = T.Widen(at + 2 * Block);
            c0 = T.MultiplyAdd(w, p, c0);
            c1 = T.MultiplyAdd(w, q, c1);
            w = T.Widen(at + 3 * Block);
            d0 = T.MultiplyAdd(w, p, d0);
            d1 = T.MultiplyAdd(w, q, d1);
        }
        T.HorizontalSums(a0, b0, c0, d0).Store(sums);
        T.HorizontalSums(a1, b1, c1, d1).Store(sums + 4);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void MultiplyFourColumns(sbyte* rows, short* x, int length, float* sums)
    {
        T a0 = default,
            b0 = default,
            c0 = default,
            d0 = default,
            a1 = default,
            b1 = default,
            c1 = default,
            d1 = default;
        T a2 = default,
            b2 = default,
            c2 = default,
            d2 = default,
            a3 = default,
            b3 = default,
            c3 = default,
            d3 = default;
        var next = rows + 4L * length;
        for (var k = 0; k < length; k += T.Count)
        {
            Prefetch(next + 4 * k);
            var at = GetBlock(rows, k);
            var column = x + k;
            T wa = T.Widen(at),
                wb = T.Widen(at + Block),
                wc = T.Widen(at + 2 * Block),
                wd = T.Widen(at + 3 * Block);
            var p = T.Load(column);
            (a0, b0, c0, d0) = (
                T.MultiplyAdd(wa, p, a0),
                T.MultiplyAdd(wb, p, b0),
                T.MultiplyAdd(wc, p, c0),
                T.MultiplyAdd(wd, p, d0)
            );
            p = T.Load(column += length);
            (a1, b1, c1, d1) = (
                T.MultiplyAdd(wa, p, a1),
                T.MultiplyAdd(wb, p, b1),
                T.MultiplyAdd(wc, p, c1),
                T.MultiplyAdd(wd, p, d1)
            );
            p = T.Load(column += length);
            (a2, b2, c2, d2) = (
                T.MultiplyAdd(wa, p, a2),
                T.MultiplyAdd(wb, p, b2),
                T.MultiplyAdd(wc, p, c2),
                T.MultiplyAdd(wd, p, d2)
            );
            p = T.Load(column + length);
            (a3, b3, c3, d3) = (
                T.MultiplyAdd(wa, p, a3),
                T.MultiplyAdd(wb, p, b3),
                T.MultiplyAdd(wc, p, c3),
                T.MultiplyAdd(wd, p, d3)
            );
        }
        T.HorizontalSums(a0, b0, c0, d0).Store(sums);
        T.HorizontalSums(a1, b1, c1, d1).Store(sums + 4);
        T.HorizontalSums(a2, b2, c2, d2).Store(sums + 8);
        T.HorizontalSums(a3, b3, c3, d3).Store(sums + 12);
    }

    /// <summary>Where the first row's numbers from k on lie.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static sbyte* GetBlock(sbyte* rows, int k) =>
        T.Count == Block ? rows + 4 * k : rows + 4 * (k / Block * Block) + k % Block;

    /// <summary>
    /// As many cache lines as a step reads, of the next four rows, into the second cache. Fetching past the end does no
    /// harm.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void Prefetch(sbyte* next)
    {
        if (!Sse.IsSupported)
        {
            return;
        }

        Sse.Prefetch1(next);
        if (T.Count == Block)
        {
            Sse.Prefetch1(next + 64);
        }
    }
}
