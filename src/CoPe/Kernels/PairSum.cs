using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace CoPe.Kernels;

/// <summary>Sums over the lanes of two registers at once: with short rows, summing one after the other would cost more than the product.</summary>
static unsafe class PairSum
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector512<float> first, Vector512<float> second, float* sums) => Store(first.GetLower() + first.GetUpper(), second.GetLower() + second.GetUpper(), sums);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector256<float> first, Vector256<float> second, float* sums)
    {
        Vector128<float> a = first.GetLower() + first.GetUpper(), b = second.GetLower() + second.GetUpper();
        if (Sse.IsSupported)
        {
            var mixed = Sse.UnpackLow(a, b) + Sse.UnpackHigh(a, b); // a0+a2, b0+b2, a1+a3, b1+b3
            Sse.StoreLow(sums, mixed + Sse.MoveHighToLow(mixed, mixed));
        }
        else (sums[0], sums[1]) = (Vector128.Sum(a), Vector128.Sum(b));
    }
}
