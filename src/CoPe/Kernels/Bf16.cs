using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace CoPe.Kernels;

/// <summary>bf16 numbers as raw bits: the upper half of a float32.</summary>
static class Bf16
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float ToSingle(ushort bits) => BitConverter.UInt32BitsToSingle((uint)bits << 16);

    /// <summary>Rounds to the nearest, ties to even; NaN stays NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ushort FromSingle(float value)
    {
        if (float.IsNaN(value))
        {
            return 0x7FC0;
        }

        var bits = BitConverter.SingleToUInt32Bits(value);
        return (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }

    /// <summary>The next eight numbers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe Vector256<float> Widen(ushort* numbers) =>
        Vector256
            .ShiftLeft(Vector256.WidenLower(Vector128.Load(numbers).ToVector256Unsafe()).AsUInt32(), 16)
            .AsSingle();

    /// <summary>The same numbers, rounded to bf16; NaN stays NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Round(Vector256<float> numbers)
    {
        var bits = numbers.AsUInt32();
        var rounded =
            (bits + Vector256.Create(0x7FFFu) + (Vector256.ShiftRightLogical(bits, 16) & Vector256<uint>.One))
            & Vector256.Create(0xFFFF0000u);
        return Vector256.ConditionalSelect(
            Vector256.Equals(numbers, numbers),
            rounded.AsSingle(),
            Vector256.Create(float.NaN)
        );
    }

    /// <summary>Sixteen numbers, rounded; NaN stays NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<ushort> Narrow(Vector512<float> numbers)
    {
        var bits = numbers.AsUInt32();
        var rounded = bits + Vector512.Create(0x7FFFu) + (Vector512.ShiftRightLogical(bits, 16) & Vector512<uint>.One);
        var upper = Vector512.ShiftRightLogical(
            Vector512.ConditionalSelect(
                Vector512.Equals(numbers, numbers).AsUInt32(),
                rounded,
                Vector512.Create(0x7FC00000u)
            ),
            16
        );
        return Vector256.Narrow(upper.GetLower(), upper.GetUpper());
    }

    /// <summary>Stores eight numbers, rounded.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void Store(Vector256<float> numbers, ushort* to)
    {
        var upper = Vector256.ShiftRightLogical(Round(numbers).AsUInt32(), 16);
        Vector128.Narrow(upper.GetLower(), upper.GetUpper()).Store(to);
    }

    /// <summary>Stores sixteen numbers, rounded, of which the even and the odd ones are given.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void StorePairs(Vector256<float> even, Vector256<float> odd, ushort* to) =>
        (
            Vector256.ShiftRightLogical(Round(even).AsUInt32(), 16)
            | (Round(odd).AsUInt32() & Vector256.Create(0xFFFF0000u))
        ).Store((uint*)to);

    /// <summary>Stores four numbers, rounded.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void Store(Vector128<float> numbers, ushort* to)
    {
        var upper = Vector128.ShiftRightLogical(Round(numbers.ToVector256Unsafe()).GetLower().AsUInt32(), 16);
        *(ulong*)to = Vector128.Narrow(upper, upper).AsUInt64().ToScalar();
    }

    /// <summary>Widens so many numbers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static unsafe void Widen(ushort* from, float* to, int length)
    {
        var k = 0;
        for (; k + 8 <= length; k += 8)
        {
            Widen(from + k).Store(to + k);
        }

        for (; k < length; k++)
        {
            to[k] = ToSingle(from[k]);
        }
    }

    /// <summary>Rounds so many numbers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static unsafe void Narrow(float* from, ushort* to, int length)
    {
        var k = 0;
        for (; k + 8 <= length; k += 8)
        {
            Store(Vector256.Load(from + k), to + k);
        }

        for (; k < length; k++)
        {
            to[k] = FromSingle(from[k]);
        }
    }
}
