namespace CoPe.Evaluation;

/// <summary>The weights of METEOR.</summary>
public sealed record MeteorOptions
{
    /// <summary>Weight of precision against recall in their harmonic mean, 0 to 1: near 1, recall counts most.</summary>
    public double Alpha { get; init => field = value is >= 0 and <= 1 ? value : throw Out(value, nameof(Alpha), "0 to 1"); } = 0.9;

    /// <summary>Exponent of the fragmentation, 0 or more.</summary>
    public double Beta { get; init => field = value >= 0 ? value : throw Out(value, nameof(Beta), "0 or more"); } = 3;

    /// <summary>Most that fragmentation takes away, 0 to 1.</summary>
    public double Gamma { get; init => field = value is >= 0 and <= 1 ? value : throw Out(value, nameof(Gamma), "0 to 1"); } = 0.5;

    static ArgumentOutOfRangeException Out(double value, string name, string range) => new(name, value, $"{name} is {value}; expected {range}.");
}
