using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace CoPe.Kernels;

/// <summary>
/// A vector register of float32 numbers of one width, as kernels that are written once for all widths see it.
/// </summary>
unsafe interface IFloatVector<TSelf>
    where TSelf : struct, IFloatVector<TSelf>
{
    /// <summary>Numbers in a register.</summary>
    static abstract int Count { get; }

    /// <summary>Registers of this width.</summary>
    static abstract int RegisterCount { get; }

    /// <summary>The next numbers.</summary>
    static abstract TSelf Load(float* numbers);

    /// <summary>Stores them.</summary>
    static abstract void Store(TSelf value, float* numbers);

    /// <summary>
    /// Twice as many bf16 numbers, as they lie; <see cref="Even"/> and <see cref="Odd"/> make float32 numbers of them.
    /// </summary>
    static abstract TSelf LoadPairs(ushort* numbers);

    /// <summary>The even numbers of the pairs: a bf16 number is the upper half of a float32.</summary>
    static abstract TSelf Even(TSelf pairs);

    /// <summary>The odd numbers of the pairs.</summary>
    static abstract TSelf Odd(TSelf pairs);

    /// <summary><c>a * b + sum</c>, rounded once.</summary>
    static abstract TSelf MultiplyAdd(TSelf a, TSelf b, TSelf sum);

    /// <summary>One number in all lanes.</summary>
    static abstract TSelf Broadcast(float number);

    /// <summary>The smaller of each two numbers.</summary>
    static abstract TSelf Min(TSelf a, TSelf b);

    /// <summary>The larger of each two numbers.</summary>
    static abstract TSelf Max(TSelf a, TSelf b);

    /// <summary>The nearest whole numbers.</summary>
    static abstract TSelf Round(TSelf x);

    /// <summary><c>2^n</c> for whole n from -126 to 127.</summary>
    static abstract TSelf PowerOfTwo(TSelf n);

    /// <summary>The largest of the lanes.</summary>
    static abstract float HorizontalMax(TSelf x);

    /// <summary>
    /// Sum over the lanes of each of four registers: with short rows, summing one after the other would cost more than
    /// the product.
    /// </summary>
    static abstract Vector128<float> HorizontalSums(TSelf a, TSelf b, TSelf c, TSelf d);
}

/// <summary>
/// 8 float32 numbers, for which .NET takes whatever the processor has: AVX2, two NEON registers, or plain instructions.
/// </summary>
readonly unsafe struct FloatVector256(Vector256<float> value) : IFloatVector<FloatVector256>
{
    readonly Vector256<float> _value = value;

    public Vector256<float> Value => _value;

    public static int Count => 8;

    public static int RegisterCount => 16;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FloatVector256 Load(float* numbers) => new(Vector256.Load(numbers));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(FloatVector256 value, float* numbers) => value._value.Store(numbers);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FloatVector256 LoadPairs(ushort* numbers) => new(Vector256.Load((float*)numbers));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FloatVector256 Even(FloatVector256 pairs) =>
        new(Vector256.ShiftLeft(pairs._value.AsUInt32(), 16).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FloatVector256 Odd(FloatVector256 pairs) =>
        new((pairs._value.AsUInt32() & Vector256.Create(0xFFFF0000u)).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FloatVector256 MultiplyAdd(FloatVector256 a, FloatVector256 b, FloatVector256 sum) =>
        new(Vector256.FusedMultiplyAdd(a._value, b._value, sum._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FloatVector256 Broadcast(float number) => new(Vector256.Create(number));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FloatVector256 Min(FloatVector256 a, FloatVector256 b) =>
        new(Vector256.MinNative(a._value, b._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FloatVector256 Max(FloatVector256 a, FloatVector256 b) =>
        new(Vector256.MaxNative(a._value, b._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float HorizontalMax(FloatVector256 x)
    {
        var four = Vector128.MaxNative(x._value.GetLower(), x._value.GetUpper());
        var two = Vector128.MaxNative(four, Vector128.Shuffle(four, Vector128.Create(2, 3, 0, 1)));
        return Vector128.MaxNative(two, Vector128.Shuffle(two, Vector128.Create(1, 0, 3, 2))).ToScalar();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FloatVector256 Round(FloatVector256 x) => new(Vector256.Round(x._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FloatVector256 PowerOfTwo(FloatVector256 n) =>
        new(Vector256.ShiftLeft(Vector256.ConvertToInt32Native(n._value) + Vector256.Create(127), 23).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> HorizontalSums(
        FloatVector256 a,
        FloatVector256 b,
        FloatVector256 c,
        FloatVector256 d
    )
    {
        Vector128<float> p = AddHalves(a),
            q = AddHalves(b),
            r = AddHalves(c),
            s = AddHalves(d);
        if (!Sse.IsSupported)
        {
            return Vector128.Create(Vector128.Sum(p), Vector128.Sum(q), Vector128.Sum(r), Vector128.Sum(s));
        }

        var pq = Sse.UnpackLow(p, q) + Sse.UnpackHigh(p, q); // p0+p2, q0+q2, p1+p3, q1+q3
        var rs = Sse.UnpackLow(r, s) + Sse.UnpackHigh(r, s);
        return Sse.MoveLowToHigh(pq, rs) + Sse.MoveHighToLow(rs, pq);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector128<float> AddHalves(FloatVector256 x) => x._value.GetLower() + x._value.GetUpper();
}

/// <summary>16 float32 numbers: AVX-512.</summary>
readonly unsafe struct FloatVector512(Vector512<float> value) : IFloatVector<FloatVector512>
{
    readonly Vector512<float> _value = value;

    public static int Count => 16;

    public static int RegisterCount => 32;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FloatVector512 Load(float* numbers) => new(Vector512.Load(numbers));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(FloatVector512 value, float* numbers) => value._value.Store(numbers);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FloatVector512 LoadPairs(ushort* numbers) => new(Vector512.Load((float*)numbers));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FloatVector512 Even(FloatVector512 pairs) =>
        new(Vector512.ShiftLeft(pairs._value.AsUInt32(), 16).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FloatVector512 Odd(FloatVector512 pairs) =>
        new((pairs._value.AsUInt32() & Vector512.Create(0xFFFF0000u)).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FloatVector512 MultiplyAdd(FloatVector512 a, FloatVector512 b, FloatVector512 sum) =>
        new(Vector512.FusedMultiplyAdd(a._value, b._value, sum._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FloatVector512 Broadcast(float number) => new(Vector512.Create(number));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FloatVector512 Min(FloatVector512 a, FloatVector512 b) =>
        new(Vector512.MinNative(a._value, b._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FloatVector512 Max(FloatVector512 a, FloatVector512 b) =>
        new(Vector512.MaxNative(a._value, b._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float HorizontalMax(FloatVector512 x) =>
        FloatVector256.HorizontalMax(new(Vector256.MaxNative(x._value.GetLower(), x._value.GetUpper())));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FloatVector512 Round(FloatVector512 x) => new(Vector512.Round(x._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FloatVector512 PowerOfTwo(FloatVector512 n) =>
        new(Vector512.ShiftLeft(Vector512.ConvertToInt32Native(n._value) + Vector512.Create(127), 23).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> HorizontalSums(
        FloatVector512 a,
        FloatVector512 b,
        FloatVector512 c,
        FloatVector512 d
    ) => FloatVector256.HorizontalSums(AddHalves(a), AddHalves(b), AddHalves(c), AddHalves(d));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static FloatVector256 AddHalves(FloatVector512 x) => new(x._value.GetLower() + x._value.GetUpper());
}

/// <summary>
/// <c>e^x</c> in float32. The library's own works in double precision, which softmax and gates, whose results are
/// rounded to bf16, do not need.
/// </summary>
static class FastExp<T>
    where T : struct, IFloatVector<T>
{
    /// <summary>Below it the result is 0, above <see cref="MaxInput"/> infinite.</summary>
    const float MinInput = -104,
        MaxInput = 89;

    /// <summary><c>ln 2</c> in two parts, the first so short that a multiple of up to 150 is exact.</summary>
    const float Ln2High = 0.693359375f,
        Ln2Low = -2.12194440e-4f;

    /// <summary>
    /// <c>e^x</c> to two units in the last place. NaN stays NaN. With <c>x = n ln 2 + r</c>, <c>|r| &lt;= ln 2 / 2</c>:
    /// <c>2^n</c>, in two steps since its exponent may be outside float32's, times a polynomial in r (coefficients of
    /// the Cephes library, S. L. Moshier, expf).
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Compute(T x)
    {
        x = T.Min(T.Broadcast(MaxInput), T.Max(T.Broadcast(MinInput), x)); // of two of which one is NaN, the second
        var n = T.Round(T.MultiplyAdd(x, T.Broadcast(1.44269504f), T.Broadcast(0)));
        var r = T.MultiplyAdd(n, T.Broadcast(-Ln2Low), T.MultiplyAdd(n, T.Broadcast(-Ln2High), x));
        var sum = T.MultiplyAdd(T.Broadcast(1.9875691500e-4f), r, T.Broadcast(1.3981999507e-3f));
        sum = T.MultiplyAdd(sum, r, T.Broadcast(8.3334519073e-3f));
        sum = T.MultiplyAdd(sum, r, T.Broadcast(4.1665795894e-2f));
        sum = T.MultiplyAdd(sum, r, T.Broadcast(1.6666665459e-1f));
        sum = T.MultiplyAdd(sum, r, T.Broadcast(0.5f));
        sum = T.MultiplyAdd(sum, T.MultiplyAdd(r, r, T.Broadcast(0)), T.MultiplyAdd(r, T.Broadcast(1), T.Broadcast(1)));
        var half = T.Round(T.MultiplyAdd(n, T.Broadcast(0.5f), T.Broadcast(0)));
        var rest = T.MultiplyAdd(half, T.Broadcast(-1), n);
        return T.MultiplyAdd(
            T.MultiplyAdd(sum, T.PowerOfTwo(half), T.Broadcast(0)),
            T.PowerOfTwo(rest),
            T.Broadcast(0)
        );
    }
}
