using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace CoPe.Kernels;

/// <summary>Rows of bf16 numbers rounded to int16, a factor per row: what int8 weights are multiplied with.</summary>
static unsafe class WordColumn
{
    /// <summary>The largest number of a column of so many: at most an int16's, and so small that no register's int32 sums of products with int8 numbers can overflow, 16 numbers to a register.</summary>
    public static int Largest(int length) => (int)Math.Min(short.MaxValue, int.MaxValue / (2L * ByteWeights.Largest * (length / Words256.Count)));

    /// <summary>
    /// <c>to[i] = round(row[i] / factor)</c>, zeros from <paramref name="k"/> to <paramref name="length"/>, a multiple of 16; the factor, <c>max |row| / largest</c>: 1 for a row of zeros, NaN where a number is
    /// none or infinite, so that every product of such a row is none either.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Round(ushort* row, short* to, int k, int length)
    {
        new Span<short>(to, length).Clear();
        var most = LargestOf(row, k);
        if (!float.IsFinite(most)) return float.NaN;
        if (most == 0) return 1;
        var inverse = Largest(length) / most;
        if (!float.IsFinite(inverse)) return 1; // numbers so small that the factor's inverse is none: their products vanish in bf16's sums
        var i = 0;
        for (; i + 16 <= k; i += 16)
            Vector256.Narrow(Rounded(Bf16.Widen(row + i), inverse), Rounded(Bf16.Widen(row + i + 8), inverse)).Store(to + i);
        for (; i < k; i++) to[i] = (short)MathF.Round(Bf16.ToSingle(row[i]) * inverse);
        return 1 / inverse;
    }

    static Vector256<int> Rounded(Vector256<float> numbers, float inverse) => Vector256.ConvertToInt32Native(Vector256.Round(numbers * inverse));

    /// <summary>The largest magnitude of bf16 numbers; without signs, the order of the bits is that of the numbers, infinity and NaN last.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float LargestOf(ushort* numbers, int count)
    {
        var largest = Vector256<ushort>.Zero;
        var i = 0;
        for (; i + 16 <= count; i += 16) largest = Vector256.Max(largest, Vector256.Load(numbers + i) & Vector256.Create((ushort)0x7FFF));
        var most = (ushort)0;
        for (var lane = 0; lane < 16; lane++) most = Math.Max(most, largest[lane]);
        for (; i < count; i++) most = Math.Max(most, (ushort)(numbers[i] & 0x7FFF));
        return Bf16.ToSingle(most);
    }
}
