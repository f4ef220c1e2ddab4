using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace CoPe.Kernels.Gemm;

/// <summary>
/// Products of four bf16 weight rows with one, two or four float32 columns. A column is stored with each block of 2 *
/// lanes numbers parted: first its even, then its odd ones, as they come out of the pairs of weights; what is left of
/// the block length stays in order. A sum is taken in the same order whatever the number of columns.
/// </summary>
static unsafe class Bf16MicroKernel<T>
    where T : struct, IFloatVector<T>
{
    /// <summary>Columns that can be taken at once.</summary>
    public const int MaxColumns = 4;

    /// <summary>Weights of a row that are read in a step.</summary>
    public static int Block => 2 * T.Count;

    /// <summary>
    /// Rows and where they are: the first <see cref="Length"/> numbers of each, a multiple of the block, and what to
    /// fetch meanwhile.
    /// </summary>
    public readonly struct RowBlock(ushort* a, ushort* b, ushort* c, ushort* d, int length, ushort* next)
    {
        public readonly ushort* A = a,
            B = b,
            C = c,
            D = d,
            Next = next;
        public readonly int Length = length;
    }

    /// <summary><c>sums[4 * c + r] = row r . column c</c>; column c begins at <c>columns + c * stride</c>.</summary>
    public static void Multiply(in RowBlock rows, int count, float* columns, int stride, float* sums)
    {
        if (count == 4 && T.RegisterCount == 32)
        {
            MultiplyFourColumns(rows, columns, stride, sums);
        }
        else if (count == 4)
        {
            MultiplyTwoRows(rows.A, rows.B, rows.Length, rows.Next, columns, stride, sums);
            MultiplyTwoRows(rows.C, rows.D, rows.Length, rows.Next + 2 * rows.Length, columns, stride, sums + 2);
        }
        else if (count == 2)
        {
            MultiplyTwoColumns(rows, columns, stride, sums);
        }
        else
        {
            MultiplyOneColumn(rows, columns, sums);
        }
    }

    /// <summary>Makes a column of a bf16 row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Deinterleave(ushort* row, float* column, int length)
    {
        var k = 0;
        for (; k + Block <= length; k += Block)
        {
            var pairs = T.LoadPairs(row + k);
            T.Store(T.Even(pairs), column + k);
            T.Store(T.Odd(pairs), column + k + T.Count);
        }
        for (; k < length; k++)
        {
            column[k] = Bf16.ToSingle(row[k]);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void MultiplyOneColumn(in RowBlock rows, float* x, float* sums)
    {
        T a = default,
            b = default,
            c = default,
            d = default;
        ushort* ra = rows.A,
            rb = rows.B,
            rc = rows.C,
            rd = rows.D,
            next = rows.Next;
        for (int k = 0, length = rows.Length; k < length; k += 2 * T.Count)
        {
            Prefetch(next + 4 * k);
            T even = T.Load(x + k),
                odd = T.Load(x + k + T.Count);
            a = DotPairs(a, T.LoadPairs(ra + k), even, odd);
            b = DotPairs(b, T.LoadPairs(rb + k), even, odd);
            c = DotPairs(c, T.LoadPairs(rc + k), even, odd);
            d = DotPairs(d, T.LoadPairs(rd + k), even, odd);
        }
        T.HorizontalSums(a, b, c, d).Store(sums);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void MultiplyTwoColumns(in RowBlock rows, float* x, int stride, float* sums)
    {
        T a0 = default,
            b0 = default,
            c0 = default,
            d0 = default,
            a1 = default,
            b1 = default,
            c1 = default,
            d1 = default;
        ushort* ra = rows.A,
            rb = rows.B,
            rc = rows.C,
            rd = rows.D,
            next = rows.Next;
        var y = x + stride;
        for (int k = 0, length = rows.Length; k < length; k += 2 * T.Count)
        {
            Prefetch(next + 4 * k);
            T xe = T.Load(x + k),
                xo = T.Load(x + k + T.Count),
                ye = T.Load(y + k),
                yo = T.Load(y + k + T.Count);
            var w = T.LoadPairs(ra + k);
            a0 = DotPairs(a0, w, xe, xo);
            a1 = DotPairs(a1, w, ye, yo);
            w = T.LoadPairs(rb + k);
            b0 = DotPairs(b0, w, xe, xo);
            b1 = DotPairs(b1, w, ye, yo);
            w = T.LoadPairs(rc + k);
            c0 = DotPairs(c0, w, xe, xo);
            c1 = DotPairs(c1, w, ye, yo);
            w = T.LoadPairs(rd + k);
            d0 = DotPairs(d0, w, xe, xo);
            d1 = DotPairs(d1, w, ye, yo);
        }
        T.HorizontalSums(a0, b0, c0, d0).Store(sums);
        T.HorizontalSums(a1, b1, c1, d1).Store(sums + 4);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void MultiplyFourColumns(in RowBlock rows, float* x, int stride, float* sums)
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
        ushort* ra = rows.A,
            rb = rows.B,
            rc = rows.C,
            rd = rows.D,
            next = rows.Next;
        for (int k = 0, length = rows.Length; k < length; k += 2 * T.Count)
        {
            Prefetch(next + 4 * k);
            T ea = T.LoadPairs(ra + k),
                eb = T.LoadPairs(rb + k),
                ec = T.LoadPairs(rc + k),
                ed = T.LoadPairs(rd + k);
            (ea, eb, ec, ed, var oa, var ob, var oc, var od) = (
                T.Even(ea),
                T.Even(eb),
                T.Even(ec),
                T.Even(ed),
                T.Odd(ea),
                T.Odd(eb),
                T.Odd(ec),
                T.Odd(ed)
            );
            var at = x + k;
            T xe = T.Load(at),
                xo = T.Load(at + T.Count);
            (a0, b0, c0, d0) = (
                Dot(a0, ea, oa, xe, xo),
                Dot(b0, eb, ob, xe, xo),
                Dot(c0, ec, oc, xe, xo),
                Dot(d0, ed, od, xe, xo)
            );
            at += stride;
            (xe, xo) = (T.Load(at), T.Load(at + T.Count));
            (a1, b1, c1, d1) = (
                Dot(a1, ea, oa, xe, xo),
                Dot(b1, eb, ob, xe, xo),
                Dot(c1, ec, oc, xe, xo),
                Dot(d1, ed, od, xe, xo)
            );
            at += stride;
            (xe, xo) = (T.Load(at), T.Load(at + T.Count));
            (a2, b2, c2, d2) = (
                Dot(a2, ea, oa, xe, xo),
                Dot(b2, eb, ob, xe, xo),
                Dot(c2, ec, oc, xe, xo),
                Dot(d2, ed, od, xe, xo)
            );
            at += stride;
            (xe, xo) = (T.Load(at), T.Load(at + T.Count));
            (a3, b3, c3, d3) = (
                Dot(a3, ea, oa, xe, xo),
                Dot(b3, eb, ob, xe, xo),
                Dot(c3, ec, oc, xe, xo),
                Dot(d3, ed, od, xe, xo)
            );
        }
        T.HorizontalSums(a0, b0, c0, d0).Store(sums);
        T.HorizontalSums(a1, b1, c1, d1).Store(sums + 4);
        T.HorizontalSums(a2, b2, c2, d2).Store(sums + 8);
        T.HorizontalSums(a3, b3, c3, d3).Store(sums + 12);
    }

    /// <summary>
    /// Two of the rows with four columns: what sixteen registers hold, and twice as many products for each conversion
    /// as four rows with two columns.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void MultiplyTwoRows(ushort* ra, ushort* rb, int length, ushort* next, float* x, int stride, float* sums)
    {
        T a0 = default,
            b0 = default,
            a1 = default,
            b1 = default,
            a2 = default,
            b2 = default,
            a3 = default,
            b3 = default;
        for (var k = 0; k < length; k += 2 * T.Count)
        {
            if (Sse.IsSupported)
            {
                Sse.Prefetch1(next + 2 * k);
            }

            T ea = T.LoadPairs(ra + k),
                eb = T.LoadPairs(rb + k);
            (ea, eb, var oa, var ob) = (T.Even(ea), T.Even(eb), T.Odd(ea), T.Odd(eb));
            var at = x + k;
            T xe = T.Load(at),
                xo = T.Load(at + T.Count);
            (a0, b0) = (Dot(a0, ea, oa, xe, xo), Dot(b0, eb, ob, xe, xo));
            at += stride;
            (xe, xo) = (T.Load(at), T.Load(at + T.Count));
            (a1, b1) = (Dot(a1, ea, oa, xe, xo), Dot(b1, eb, ob, xe, xo));
            at += stride;
            (xe, xo) = (T.Load(at), T.Load(at + T.Count));
            (a2, b2) = (Dot(a2, ea, oa, xe, xo), Dot(b2, eb, ob, xe, xo));
            at += stride;
            (xe, xo) = (T.Load(at), T.Load(at + T.Count));
            (a3, b3) = (Dot(a3, ea, oa, xe, xo), Dot(b3, eb, ob, xe, xo));
        }
        Vector128<float> first = T.HorizontalSums(a0, b0, a1, b1),
            second = T.HorizontalSums(a2, b2, a3, b3);
        first.GetLower().Store(sums);
        first.GetUpper().Store(sums + 4);
        second.GetLower().Store(sums + 8);
        second.GetUpper().Store(sums + 12);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static T DotPairs(T sum, T pairs, T even, T odd) => Dot(sum, T.Even(pairs), T.Odd(pairs), even, odd);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static T Dot(T sum, T even, T odd, T columnEven, T columnOdd) =>
        T.MultiplyAdd(odd, columnOdd, T.MultiplyAdd(even, columnEven, sum));

    /// <summary>
    /// As many cache lines as a step reads, one after the other. The four rows lie one after the other, so that memory
    /// sees one stream; fetched row by row, or not at all, it comes at half the speed. Into the second cache: the first
    /// is too small for long rows. Fetching past the end does no harm.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void Prefetch(ushort* next)
    {
        if (!Sse.IsSupported)
        {
            return;
        }

        Sse.Prefetch1(next);
        Sse.Prefetch1(next + 32);
        if (T.Count < 16)
        {
            return;
        }

        Sse.Prefetch1(next + 64);
        Sse.Prefetch1(next + 96);
    }
}
