using System.Runtime.CompilerServices;

namespace CoPe.Kernels;

/// <summary><c>e^x</c> in float32. The library's own works in double precision, which softmax and gates, whose results are rounded to bf16, do not need.</summary>
static class Exponential<T> where T : struct, ILanes<T>
{
    /// <summary>Below it the result is 0, above <see cref="Highest"/> infinite.</summary>
    const float Lowest = -104, Highest = 89;

    /// <summary><c>ln 2</c> in two parts, the first so short that a multiple of up to 150 is exact.</summary>
    const float Ln2 = 0.693359375f, Ln2Rest = -2.12194440e-4f;

    /// <summary>
    /// <c>e^x</c> to two units in the last place. NaN stays NaN. With <c>x = n ln 2 + r</c>, <c>|r| &lt;= ln 2 / 2</c>: <c>2^n</c>, in two steps since its exponent may be outside float32's, times a
    /// polynomial in r (coefficients of the Cephes library, S. L. Moshier, expf).
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Of(T x)
    {
        x = T.Min(T.Broadcast(Highest), T.Max(T.Broadcast(Lowest), x)); // of two of which one is NaN, the second
        var n = T.Round(T.MultiplyAdd(x, T.Broadcast(1.44269504f), T.Broadcast(0)));
        var r = T.MultiplyAdd(n, T.Broadcast(-Ln2Rest), T.MultiplyAdd(n, T.Broadcast(-Ln2), x));
        var sum = T.MultiplyAdd(T.Broadcast(1.9875691500e-4f), r, T.Broadcast(1.3981999507e-3f));
        sum = T.MultiplyAdd(sum, r, T.Broadcast(8.3334519073e-3f));
        sum = T.MultiplyAdd(sum, r, T.Broadcast(4.1665795894e-2f));
        sum = T.MultiplyAdd(sum, r, T.Broadcast(1.6666665459e-1f));
        sum = T.MultiplyAdd(sum, r, T.Broadcast(0.5f));
        sum = T.MultiplyAdd(sum, T.MultiplyAdd(r, r, T.Broadcast(0)), T.MultiplyAdd(r, T.Broadcast(1), T.Broadcast(1)));
        var half = T.Round(T.MultiplyAdd(n, T.Broadcast(0.5f), T.Broadcast(0)));
        var rest = T.MultiplyAdd(half, T.Broadcast(-1), n);
        return T.MultiplyAdd(T.MultiplyAdd(sum, T.PowerOfTwo(half), T.Broadcast(0)), T.PowerOfTwo(rest), T.Broadcast(0));
    }
}
