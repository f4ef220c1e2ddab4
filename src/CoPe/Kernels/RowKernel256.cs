using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace CoPe.Kernels;

/// <summary>Rows by 256-bit registers, which .NET makes of whatever the processor has: AVX2, two NEON registers, or plain instructions.</summary>
readonly unsafe struct RowKernel256 : IRowKernel
{
    public static int Block => 16;

    public static int MaxColumns => 2;

    public static void Multiply(int count, ushort* row0, ushort* row1, float* columns, int stride, int length, int ahead, float* sums)
    {
        if (count == 2) Two(row0, row1, columns, stride, length, sums);
        else One(row0, row1, columns, length, sums);
    }

    static void One(ushort* row0, ushort* row1, float* x, int length, float* sums)
    {
        Vector256<float> a0 = default, a1 = default;
        for (var k = 0; k < length; k += 16)
        {
            Vector256<float> even = Vector256.Load(x + k), odd = Vector256.Load(x + k + 8);
            a0 = Add(a0, row0 + k, even, odd);
            a1 = Add(a1, row1 + k, even, odd);
        }
        PairSum.Store(a0, a1, sums);
    }

    static void Two(ushort* row0, ushort* row1, float* x, int stride, int length, float* sums)
    {
        Vector256<float> a0 = default, a1 = default, b0 = default, b1 = default;
        for (var k = 0; k < length; k += 16)
        {
            Vector256<float> even = Vector256.Load(x + k), odd = Vector256.Load(x + k + 8);
            a0 = Add(a0, row0 + k, even, odd);
            a1 = Add(a1, row1 + k, even, odd);
            (even, odd) = (Vector256.Load(x + stride + k), Vector256.Load(x + stride + k + 8));
            b0 = Add(b0, row0 + k, even, odd);
            b1 = Add(b1, row1 + k, even, odd);
        }
        PairSum.Store(a0, a1, sums);
        PairSum.Store(b0, b1, sums + 2);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector256<float> Add(Vector256<float> sum, ushort* weights, Vector256<float> even, Vector256<float> odd)
    {
        var pairs = Vector256.Load((uint*)weights);
        sum = Vector256.FusedMultiplyAdd(Vector256.ShiftLeft(pairs, 16).AsSingle(), even, sum);
        return Vector256.FusedMultiplyAdd((pairs & Vector256.Create(0xFFFF0000u)).AsSingle(), odd, sum);
    }
}
