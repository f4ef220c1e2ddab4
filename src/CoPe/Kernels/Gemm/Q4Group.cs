using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace CoPe.Kernels.Gemm;

/// <summary>
/// Rounds 32 weights to 4 bits: <c>w = scale * q + min</c> with q in 0 .. 15 and scale and min in bf16. Pure; the same
/// bits on every processor.
/// </summary>
static unsafe class Q4Group
{
    /// <summary>Weights of a group.</summary>
    public const int Size = 32;

    /// <summary>The largest code.</summary>
    public const int MaxCode = 15;

    /// <summary>
    /// Steps that the group's range is cut into at first: fewer than 15 use fewer codes, more cut the upper end off. Of
    /// normal weights these five leave .81 of plain rounding's squared error, 17 between 14 and 18 leave .80.
    /// </summary>
    static readonly float[] Steps = [14, 14.5f, 15, 15.5f, 16];

    /// <summary>
    /// The plain rounding: <c>min = min w, scale = (max w - min w) / 15, q = round((w - min) / scale)</c>; a group of
    /// one value has scale and codes 0.
    /// </summary>
    public static (float Scale, float Min) RoundPlainly(ReadOnlySpan<float> weights, Span<byte> codes)
    {
        var (min, max) = (float.MaxValue, float.MinValue);
        foreach (var weight in weights)
        {
            (min, max) = (Math.Min(min, weight), Math.Max(max, weight));
        }

        var scale = (max - min) / MaxCode;
        var inverse = scale > 0 ? 1 / scale : 0;
        for (var i = 0; i < weights.Length; i++)
        {
            codes[i] = (byte)Math.Clamp(MathF.Round((weights[i] - min) * inverse), 0, MaxCode);
        }

        return (scale, min);
    }

    /// <summary>
    /// The rounding of least squared error among several: for each number of steps the range is rounded plainly, scale
    /// and min are fitted to these codes (linear least squares), rounded to bf16, and the codes chosen again.
    /// </summary>
    /// <param name="weights">The group's 32 weights, finite.</param>
    /// <param name="codes">Where its 32 codes go.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static (ushort Scale, ushort Min) Search(float* weights, byte* codes)
    {
        var (min, max, sum) = (float.MaxValue, float.MinValue, 0f);
        for (var i = 0; i < Size; i++)
        {
            (min, max, sum) = (Math.Min(min, weights[i]), Math.Max(max, weights[i]), sum + weights[i]);
        }

        var range = max - min;
        var (scale, offset) = (Bf16.FromSingle(range / MaxCode), Bf16.FromSingle(min));
        if (range == 0 || !float.IsFinite(1 / Bf16.ToSingle(scale)))
        {
            // Values so close that they are one.
            Assign(weights, 0, Bf16.ToSingle(offset), codes);
            return (0, offset);
        }

        var least = MeasureError(weights, scale, offset);
        foreach (var steps in Steps)
        {
            var (fittedScale, fittedMin) = Fit(weights, steps / range, min, sum);
            if (fittedScale > 0 && MeasureError(weights, fittedScale, fittedMin) is var error && error < least)
            {
                (least, scale, offset) = (error, fittedScale, fittedMin);
            }
        }

        Assign(weights, 1 / Bf16.ToSingle(scale), Bf16.ToSingle(offset), codes);
        return (scale, offset);
    }

    /// <summary>Scale and min that fit the codes <c>round((w - min) * inverse)</c> best, in bf16.</summary>
    static (ushort Scale, ushort Min) Fit(float* weights, float inverse, float min, float sum)
    {
        Vector256<float> codeSum = default,
            squareSum = default,
            productSum = default;
        for (var i = 0; i < Size; i += 8)
        {
            var weight = Vector256.Load(weights + i);
            var code = Round(weight, inverse, min);
            codeSum += code;
            squareSum += code * code;
            productSum += code * weight;
        }

        var (q, qq, qw) = (Vector256.Sum(codeSum), Vector256.Sum(squareSum), Vector256.Sum(productSum));
        var determinant = Size * qq - q * q;
        var scale = determinant > 0 ? (Size * qw - q * sum) / determinant : 0;
        return (Bf16.FromSingle(scale), Bf16.FromSingle((sum - scale * q) / Size));
    }

    static float MeasureError(float* weights, ushort scale, ushort min)
    {
        var (step, offset) = (Bf16.ToSingle(scale), Bf16.ToSingle(min));
        var inverse = 1 / step;
        if (!float.IsFinite(inverse))
        {
            return float.PositiveInfinity;
        }

        var error = Vector256<float>.Zero;
        for (var i = 0; i < Size; i += 8)
        {
            var weight = Vector256.Load(weights + i);
            var difference = Round(weight, inverse, offset) * step + Vector256.Create(offset) - weight;
            error += difference * difference;
        }

        return Vector256.Sum(error);
    }

    static void Assign(float* weights, float inverse, float min, byte* codes)
    {
        for (var i = 0; i < Size; i += 8)
        {
            var code = Vector256.ConvertToInt32(Round(Vector256.Load(weights + i), inverse, min));
            for (var lane = 0; lane < 8; lane++)
            {
                codes[i + lane] = (byte)code[lane];
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector256<float> Round(Vector256<float> weights, float inverse, float min) =>
        Vector256.Clamp(
            Vector256.Round((weights - Vector256.Create(min)) * inverse),
            Vector256<float>.Zero,
            Vector256.Create((float)MaxCode)
        );
}
