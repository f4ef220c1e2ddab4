namespace CoPe.Modeling;

/// <summary>Rotary position embedding (Su et al., 2021, arXiv 2104.09864) of one kind of layer.</summary>
public sealed record RopeConfig
{
    /// <summary>Base of the frequencies.</summary>
    public double Theta { get; init; } = 10000;

    /// <summary>Share of a head's width that rotates, from its first coordinate on; the rest stays as it is.</summary>
    public double PartialRotaryFactor { get; init; } = 1;

    /// <summary>Coordinates (2 i, 2 i + 1) make a plane (GLM-4), instead of (i, i + half).</summary>
    public bool Interleaved { get; init; }

    /// <summary>How frequencies are scaled to longer contexts.</summary>
    public RopeScaling Scaling { get; init; }

    /// <summary>Factor by which the context is extended.</summary>
    public double Factor { get; init; } = 1;

    /// <summary>Llama 3: wavelengths longer than the original context / this are scaled fully.</summary>
    public double LowFrequencyFactor { get; init; } = 1;

    /// <summary>Llama 3: wavelengths shorter than the original context / this are kept.</summary>
    public double HighFrequencyFactor { get; init; } = 4;

    /// <summary>Context length before scaling.</summary>
    public double OriginalMaxPositions { get; init; } = 8192;

    /// <summary>YaRN: planes that turn more often than this within the original context are kept.</summary>
    public double BetaFast { get; init; } = 32;

    /// <summary>YaRN: planes that turn less often than this within the original context are scaled fully.</summary>
    public double BetaSlow { get; init; } = 1;

    /// <summary>YaRN: the planes between which the scaling is blended are rounded to whole ones.</summary>
    public bool RoundsRamp { get; init; } = true;

    /// <summary>Rotated queries and keys are multiplied by this (YaRN, LongRoPE).</summary>
    public double AttentionFactor { get; init; } = 1;

    /// <summary>LongRoPE: divisor of each plane's frequency in texts within the original context.</summary>
    public IReadOnlyList<double> ShortFactors { get; init; } = [];

    /// <summary>LongRoPE: divisor of each plane's frequency in longer texts.</summary>
    public IReadOnlyList<double> LongFactors { get; init; } = [];

    /// <summary>
    /// Rotated queries at position p are multiplied by <c>1 + beta ln(1 + floor(p / original))</c> (Ministral 3); 0:
    /// they are not.
    /// </summary>
    public double QueryScalingBeta { get; init; }

    /// <summary>Whether texts beyond the original context have other frequencies.</summary>
    internal bool DependsOnLength => Scaling == RopeScaling.LongRope;

    /// <summary>How many coordinates of a head rotate.</summary>
    /// <param name="headDim">Width of a head.</param>
    internal int GetRotaryDim(int headDim) => (int)(headDim * PartialRotaryFactor);

    /// <summary>
    /// Angle per position, in radians, of each of the planes, <c>theta^(-2 i / width)</c> of the width that rotates,
    /// then scaled; LongRoPE's of texts within the original context.
    /// </summary>
    /// <param name="headDim">Width of a head.</param>
    public float[] ComputeFrequencies(int headDim) => ComputeFrequencies(headDim, isLong: false);

    /// <summary>The same; with LongRoPE, of texts beyond the original context if <paramref name="isLong"/>.</summary>
    internal float[] ComputeFrequencies(int headDim, bool isLong)
    {
        var width = GetRotaryDim(headDim);
        var frequencies = new float[width / 2];
        for (var i = 0; i < frequencies.Length; i++)
        {
            var frequency = 1 / Math.Pow(Theta, 2.0 * i / width);
            frequencies[i] = (float)ScaleFrequency(frequency, i, width, isLong);
        }

        return frequencies;
    }

    double ScaleFrequency(double frequency, int plane, int width, bool isLong) =>
        Scaling switch
        {
            RopeScaling.Linear => frequency / Factor,
            RopeScaling.Llama3 => ScaleAsLlama3(frequency),
            RopeScaling.Yarn => ScaleAsYarn(frequency, plane, width),
            RopeScaling.LongRope => frequency / (isLong ? LongFactors : ShortFactors)[plane],
            _ => frequency,
        };

    double ScaleAsLlama3(double frequency)
    {
        var turns = OriginalMaxPositions * frequency / (2 * Math.PI); // turns within the original context
        if (turns < LowFrequencyFactor)
        {
            return frequency / Factor;
        }

        if (turns > HighFrequencyFactor)
        {
            return frequency;
        }

        var keep = (turns - LowFrequencyFactor) / (HighFrequencyFactor - LowFrequencyFactor);
        return (1 - keep) * frequency / Factor + keep * frequency;
    }

    /// <summary>Peng et al., 2023, arXiv 2309.00071, section 3.2, with transformers' bounds.</summary>
    double ScaleAsYarn(double frequency, int plane, int width)
    {
        var (low, high) = (FindPlane(BetaFast, width), FindPlane(BetaSlow, width));
        if (RoundsRamp)
        {
            (low, high) = (Math.Floor(low), Math.Ceiling(high));
        }

        (low, high) = (Math.Max(low, 0), Math.Min(high, width - 1));
        high = low == high ? high + 0.001 : high;
        var scaled = Math.Clamp((plane - low) / (high - low), 0, 1);
        return scaled * frequency / Factor + (1 - scaled) * frequency;
    }

    /// <summary>The plane, not a whole one, that turns so often within the original context.</summary>
    double FindPlane(double turns, int width) =>
        width * Math.Log(OriginalMaxPositions / (turns * 2 * Math.PI)) / (2 * Math.Log(Theta));
}

/// <summary>How rotary frequencies are scaled to longer contexts.</summary>
public enum RopeScaling
{
    /// <summary>Not at all.</summary>
    None,

    /// <summary>All frequencies divided by the factor.</summary>
    Linear,

    /// <summary>Llama 3.1: low frequencies divided by the factor, high ones kept, those between blended.</summary>
    Llama3,

    /// <summary>
    /// YaRN (Peng et al., 2023, arXiv 2309.00071): the same with bounds by turns and an attention factor.
    /// </summary>
    Yarn,

    /// <summary>LongRoPE (Ding et al., 2024, arXiv 2402.13753): a divisor for each frequency.</summary>
    LongRope,
}
