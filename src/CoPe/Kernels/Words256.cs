using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace CoPe.Kernels;

/// <summary>16 int16 numbers: AVX2, or whatever the processor has for .NET's portable vectors.</summary>
readonly unsafe struct Words256(Vector256<short> value) : IWords<Words256>
{
    readonly Vector256<short> value = value;

    public static int Count => 16;

    public static int Columns => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Words256 Load(short* numbers) => new(Vector256.Load(numbers));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Words256 Widen(sbyte* numbers)
    {
        if (Avx2.IsSupported) return new(Avx2.ConvertToVector256Int16(numbers));
        return new(PortablyWidened(Vector128.Load(numbers)));
    }

    /// <summary>The same without AVX2.</summary>
    public static Vector256<short> PortablyWidened(Vector128<sbyte> numbers)
    {
        var (lower, upper) = Vector128.Widen(numbers);
        return Vector256.Create(lower, upper);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Words256 MultiplyAdd(Words256 a, Words256 b, Words256 sums)
    {
        var added = Avx2.IsSupported ? Avx2.MultiplyAddAdjacent(a.value, b.value) : PortableProducts(a.value, b.value);
        return new((added + sums.value.AsInt32()).AsInt16());
    }

    /// <summary>Products of two numbers each, added: the same without AVX2, though other ones share a lane.</summary>
    public static Vector256<int> PortableProducts(Vector256<short> a, Vector256<short> b)
    {
        var (aLower, aUpper) = Vector256.Widen(a);
        var (bLower, bUpper) = Vector256.Widen(b);
        return aLower * bLower + aUpper * bUpper;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Totals(Words256 a, Words256 b, Words256 c, Words256 d) => Lanes256.Sums(Wide(a), Wide(b), Wide(c), Wide(d));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Lanes256 Wide(Words256 sums) => new(Vector256.ConvertToSingle(sums.value.AsInt32()));
}
