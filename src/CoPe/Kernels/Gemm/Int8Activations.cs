using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace CoPe.Kernels.Gemm;

/// <summary>
/// Rows of bf16 numbers rounded to int8, with a scale for each group of 32 numbers and the group's sum: what 4-bit
/// weights are multiplied with. <c>scale = max |x| / 127, q = round(x / scale), sum = scale * sum of q</c>.
/// </summary>
static unsafe class Int8Activations
{
    /// <summary>The largest magnitude.</summary>
    public const int MaxLevel = 127;

    /// <summary>
    /// Rounds a row. A group with a number that is not finite has scale and sum NaN, so that every product of it is NaN
    /// too; numbers from <paramref name="k"/> on are zeros.
    /// </summary>
    /// <param name="row">The row, bf16.</param>
    /// <param name="k">Its length.</param>
    /// <param name="levels">Where its numbers go, filled up to a whole group.</param>
    /// <param name="scales">Where the groups' scales go.</param>
    /// <param name="sums">Where the groups' sums go.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Quantize(ushort* row, int k, sbyte* levels, float* scales, float* sums)
    {
        var padded = stackalloc ushort[Q4Group.Size];
        for (int first = 0, group = 0; first < k; first += Q4Group.Size, group++)
        {
            var from = row + first;
            if (k - first < Q4Group.Size)
            {
                new Span<ushort>(padded, Q4Group.Size).Clear();
                new Span<ushort>(from, k - first).CopyTo(new(padded, Q4Group.Size));
                from = padded;
            }

            (scales[group], sums[group]) = QuantizeGroup(from, levels + first);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static (float Scale, float Sum) QuantizeGroup(ushort* numbers, sbyte* levels)
    {
        var most = Int16Activations.FindMaxMagnitude(numbers, Q4Group.Size);
        var inverse = MaxLevel / most;
        if (!float.IsFinite(inverse) || inverse == 0)
        {
            // Zeros, or numbers so small that they vanish in bf16's sums; or one that is not finite.
            Vector256<sbyte>.Zero.Store(levels);
            return float.IsFinite(most) ? (0, 0) : (float.NaN, float.NaN);
        }

        var total = Vector256<int>.Zero;
        Vector256<int> a = RoundVector(numbers, inverse),
            b = RoundVector(numbers + 8, inverse),
            c = RoundVector(numbers + 16, inverse),
            d = RoundVector(numbers + 24, inverse);
        total += a + b + (c + d);
        Vector256.Narrow(Vector256.Narrow(a, b), Vector256.Narrow(c, d)).Store(levels);
        var scale = most / MaxLevel;
        return (scale, scale * Vector256.Sum(total));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector256<int> RoundVector(ushort* numbers, float inverse) =>
        Vector256.ConvertToInt32Native(Vector256.Round(Bf16.Widen(numbers) * inverse));
}
