using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace CoPe.Kernels;

/// <summary>
/// Rows by 512-bit registers. A bf16 number is the upper half of a float32: of each pair, the odd one is a float32 once the lower half is cleared, the even one once it is
/// shifted up, so 32 weights become two registers with two instructions.
/// </summary>
readonly unsafe struct RowKernel512 : IRowKernel
{
    public static int Block => 32;

    public static int MaxColumns => 4;

    public static void Multiply(int count, ushort* row0, ushort* row1, float* columns, int stride, int length, int ahead, float* sums)
    {
        if (count == 4) Four(row0, row1, columns, stride, length, ahead, sums);
        else if (count == 2) Two(row0, row1, columns, stride, length, ahead, sums);
        else One(row0, row1, columns, length, ahead, sums);
    }

    static void One(ushort* row0, ushort* row1, float* x, int length, int ahead, float* sums)
    {
        var a0 = Vector512<float>.Zero;
        var a1 = Vector512<float>.Zero;
        for (var k = 0; k < length; k += 32)
        {
            Fetch(row0 + k + ahead, row1 + k + ahead);
            Vector512<float> even = Vector512.Load(x + k), odd = Vector512.Load(x + k + 16);
            a0 = Add(a0, row0 + k, even, odd);
            a1 = Add(a1, row1 + k, even, odd);
        }
        PairSum.Store(a0, a1, sums);
    }

    static void Two(ushort* row0, ushort* row1, float* x, int stride, int length, int ahead, float* sums)
    {
        Vector512<float> a0 = default, a1 = default, b0 = default, b1 = default;
        for (var k = 0; k < length; k += 32)
        {
            Fetch(row0 + k + ahead, row1 + k + ahead);
            Vector512<float> even = Vector512.Load(x + k), odd = Vector512.Load(x + k + 16);
            a0 = Add(a0, row0 + k, even, odd);
            a1 = Add(a1, row1 + k, even, odd);
            (even, odd) = (Vector512.Load(x + stride + k), Vector512.Load(x + stride + k + 16));
            b0 = Add(b0, row0 + k, even, odd);
            b1 = Add(b1, row1 + k, even, odd);
        }
        PairSum.Store(a0, a1, sums);
        PairSum.Store(b0, b1, sums + 2);
    }

    static void Four(ushort* row0, ushort* row1, float* x, int stride, int length, int ahead, float* sums)
    {
        Vector512<float> a0 = default, a1 = default, b0 = default, b1 = default, c0 = default, c1 = default, d0 = default, d1 = default;
        for (var k = 0; k < length; k += 32)
        {
            Fetch(row0 + k + ahead, row1 + k + ahead);
            Vector512<float> even = Vector512.Load(x + k), odd = Vector512.Load(x + k + 16);
            a0 = Add(a0, row0 + k, even, odd);
            a1 = Add(a1, row1 + k, even, odd);
            (even, odd) = (Vector512.Load(x + stride + k), Vector512.Load(x + stride + k + 16));
            b0 = Add(b0, row0 + k, even, odd);
            b1 = Add(b1, row1 + k, even, odd);
            (even, odd) = (Vector512.Load(x + 2 * stride + k), Vector512.Load(x + 2 * stride + k + 16));
            c0 = Add(c0, row0 + k, even, odd);
            c1 = Add(c1, row1 + k, even, odd);
            (even, odd) = (Vector512.Load(x + 3 * stride + k), Vector512.Load(x + 3 * stride + k + 16));
            d0 = Add(d0, row0 + k, even, odd);
            d1 = Add(d1, row1 + k, even, odd);
        }
        PairSum.Store(a0, a1, sums);
        PairSum.Store(b0, b1, sums + 2);
        PairSum.Store(c0, c1, sums + 4);
        PairSum.Store(d0, d1, sums + 6);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector512<float> Add(Vector512<float> sum, ushort* weights, Vector512<float> even, Vector512<float> odd)
    {
        var pairs = Vector512.Load((uint*)weights);
        sum = Vector512.FusedMultiplyAdd(Vector512.ShiftLeft(pairs, 16).AsSingle(), even, sum);
        return Vector512.FusedMultiplyAdd((pairs & Vector512.Create(0xFFFF0000u)).AsSingle(), odd, sum);
    }

    /// <summary>Without it the memory waits for us at every row: the decisive third of the speed.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void Fetch(ushort* next0, ushort* next1)
    {
        if (!Sse.IsSupported) return;
        Sse.Prefetch0(next0);
        Sse.Prefetch0(next1);
    }
}
