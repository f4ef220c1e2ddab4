using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace CoPe.Kernels;

/// <summary>
/// A vector register of int16 numbers of one width, or of the int32 sums of their products, as kernels that are written
/// once for all widths see it.
/// </summary>
unsafe interface IInt16Vector<TSelf>
    where TSelf : struct, IInt16Vector<TSelf>
{
    /// <summary>Numbers in a register.</summary>
    static abstract int Count { get; }

    /// <summary>Columns that a product takes at once without running out of registers: 1, 2 or 4.</summary>
    static abstract int MaxColumns { get; }

    /// <summary>The next numbers.</summary>
    static abstract TSelf Load(short* numbers);

    /// <summary>The next numbers, of int8.</summary>
    static abstract TSelf Widen(sbyte* numbers);

    /// <summary>To each sum the products of two numbers. What is added may not exceed an int32.</summary>
    static abstract TSelf MultiplyAdd(TSelf a, TSelf b, TSelf sums);

    /// <summary>Total of each of four registers of sums.</summary>
    static abstract Vector128<float> HorizontalSums(TSelf a, TSelf b, TSelf c, TSelf d);
}

/// <summary>16 int16 numbers: AVX2, or whatever the processor has for .NET's portable vectors.</summary>
readonly unsafe struct Int16Vector256(Vector256<short> value) : IInt16Vector<Int16Vector256>
{
    readonly Vector256<short> _value = value;

    public static int Count => 16;

    public static int MaxColumns => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Int16Vector256 Load(short* numbers) => new(Vector256.Load(numbers));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Int16Vector256 Widen(sbyte* numbers)
    {
        if (Avx2.IsSupported)
        {
            return new(Avx2.ConvertToVector256Int16(numbers));
        }

        return new(WidenPortably(Vector128.Load(numbers)));
    }

    /// <summary>The same without AVX2.</summary>
    public static Vector256<short> WidenPortably(Vector128<sbyte> numbers)
    {
        var (lower, upper) = Vector128.Widen(numbers);
        return Vector256.Create(lower, upper);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Int16Vector256 MultiplyAdd(Int16Vector256 a, Int16Vector256 b, Int16Vector256 sums)
    {
        var added = Avx2.IsSupported
            ? Avx2.MultiplyAddAdjacent(a._value, b._value)
            : MultiplyAddPairsPortably(a._value, b._value);
        return new((added + sums._value.AsInt32()).AsInt16());
    }

    /// <summary>Products of two numbers each, added: the same without AVX2, though other ones share a lane.</summary>
    public static Vector256<int> MultiplyAddPairsPortably(Vector256<short> a, Vector256<short> b)
    {
        var (aLower, aUpper) = Vector256.Widen(a);
        var (bLower, bUpper) = Vector256.Widen(b);
        return aLower * bLower + aUpper * bUpper;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> HorizontalSums(
        Int16Vector256 a,
        Int16Vector256 b,
        Int16Vector256 c,
        Int16Vector256 d
    ) => FloatVector256.HorizontalSums(ToFloat(a), ToFloat(b), ToFloat(c), ToFloat(d));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static FloatVector256 ToFloat(Int16Vector256 sums) => new(Vector256.ConvertToSingle(sums._value.AsInt32()));
}

/// <summary>32 int16 numbers: AVX-512 with its instructions for bytes and words.</summary>
readonly unsafe struct Int16Vector512(Vector512<short> value) : IInt16Vector<Int16Vector512>
{
    readonly Vector512<short> _value = value;

    public static int Count => 32;

    public static int MaxColumns => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Int16Vector512 Load(short* numbers) => new(Vector512.Load(numbers));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Int16Vector512 Widen(sbyte* numbers) =>
        new(Avx512BW.ConvertToVector512Int16(Vector256.Load(numbers)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Int16Vector512 MultiplyAdd(Int16Vector512 a, Int16Vector512 b, Int16Vector512 sums) =>
        new((Avx512BW.MultiplyAddAdjacent(a._value, b._value) + sums._value.AsInt32()).AsInt16());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> HorizontalSums(
        Int16Vector512 a,
        Int16Vector512 b,
        Int16Vector512 c,
        Int16Vector512 d
    ) => FloatVector512.HorizontalSums(ToFloat(a), ToFloat(b), ToFloat(c), ToFloat(d));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static FloatVector512 ToFloat(Int16Vector512 sums) => new(Vector512.ConvertToSingle(sums._value.AsInt32()));
}
