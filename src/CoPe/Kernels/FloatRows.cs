using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace CoPe.Kernels;

/// <summary>Products of float32 rows with one column: an adapter's factors with a position.</summary>
static unsafe class FloatRows
{
    /// <summary><c>y = W x</c> for W <c>[n, k]</c>, x <c>[k]</c>. Writes up to three numbers past y's n.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(float* weights, float* x, int n, int k, float* y)
    {
        var whole = k / Lanes256.Count * Lanes256.Count;
        for (var first = 0; first < n; first += 4)
        {
            float* Row(int i) => weights + (long)Math.Min(first + i, n - 1) * k; // past the end the last row stands in
            Four(Row(0), Row(1), Row(2), Row(3), x, whole).Store(y + first);
            for (var tail = whole; tail < k; tail++)
                for (var i = 0; i < 4; i++) y[first + i] += Row(i)[tail] * x[tail];
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static Vector128<float> Four(float* p, float* q, float* r, float* s, float* x, int length)
    {
        Lanes256 a = default, b = default, c = default, d = default;
        for (var k = 0; k < length; k += Lanes256.Count)
        {
            var column = Lanes256.Load(x + k);
            a = Lanes256.MultiplyAdd(Lanes256.Load(p + k), column, a);
            b = Lanes256.MultiplyAdd(Lanes256.Load(q + k), column, b);
            c = Lanes256.MultiplyAdd(Lanes256.Load(r + k), column, c);
            d = Lanes256.MultiplyAdd(Lanes256.Load(s + k), column, d);
        }
        return Lanes256.Sums(a, b, c, d);
    }
}
