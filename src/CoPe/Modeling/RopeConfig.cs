namespace CoPe.Modeling;

/// <summary>Rotary position embedding (Su et al., 2021, arXiv 2104.09864) of one kind of layer.</summary>
public sealed record RopeConfig
{
    /// <summary>Base of the frequencies.</summary>
    public double Theta { get; init; } = 10000;

    /// <summary>How frequencies are stretched.</summary>
    public RopeScaling Scaling { get; init; }

    /// <summary>By how much.</summary>
    public double Factor { get; init; } = 1;

    /// <summary>Llama 3: wavelengths longer than the original context / this are stretched fully.</summary>
    public double LowFrequencyFactor { get; init; } = 1;

    /// <summary>Llama 3: wavelengths shorter than the original context / this are kept.</summary>
    public double HighFrequencyFactor { get; init; } = 4;

    /// <summary>Llama 3: context length before stretching.</summary>
    public double OriginalMaxPositions { get; init; } = 8192;

    /// <summary>Angle per position of each of the headDim / 2 planes: <c>theta^(-2 i / headDim)</c>, then stretched.</summary>
    public float[] Frequencies(int headDim)
    {
        var frequencies = new float[headDim / 2];
        for (var i = 0; i < frequencies.Length; i++) frequencies[i] = (float)Stretch(1 / Math.Pow(Theta, 2.0 * i / headDim));
        return frequencies;
    }

    double Stretch(double frequency) => Scaling switch
    {
        RopeScaling.Linear => frequency / Factor,
        RopeScaling.Llama3 => StretchAsLlama3(frequency),
        _ => frequency,
    };

    double StretchAsLlama3(double frequency)
    {
        var turns = OriginalMaxPositions * frequency / (2 * Math.PI); // turns within the original context
        if (turns < LowFrequencyFactor) return frequency / Factor;
        if (turns > HighFrequencyFactor) return frequency;
        var keep = (turns - LowFrequencyFactor) / (HighFrequencyFactor - LowFrequencyFactor);
        return (1 - keep) * frequency / Factor + keep * frequency;
    }
}
