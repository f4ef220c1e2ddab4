using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace CoPe.Kernels;

/// <summary>32 int16 numbers: AVX-512 with its instructions for bytes and words.</summary>
readonly unsafe struct Words512(Vector512<short> value) : IWords<Words512>
{
    readonly Vector512<short> value = value;

    public static int Count => 32;

    public static int Columns => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Words512 Load(short* numbers) => new(Vector512.Load(numbers));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Words512 Widen(sbyte* numbers) => new(Avx512BW.ConvertToVector512Int16(Vector256.Load(numbers)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Words512 MultiplyAdd(Words512 a, Words512 b, Words512 sums) => new((Avx512BW.MultiplyAddAdjacent(a.value, b.value) + sums.value.AsInt32()).AsInt16());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Totals(Words512 a, Words512 b, Words512 c, Words512 d) => Lanes512.Sums(Wide(a), Wide(b), Wide(c), Wide(d));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Lanes512 Wide(Words512 sums) => new(Vector512.ConvertToSingle(sums.value.AsInt32()));
}
