namespace CoPe.Evaluation;

/// <summary>How two methods are compared.</summary>
public sealed record PairedTestOptions
{
    /// <summary>What is drawn again and counted. Where fewer than two users are known, queries are, and the comparison says so.</summary>
    public PairedUnit Unit { get; init; } = PairedUnit.Users;

    /// <summary>How many resamples the bootstrap draws, 1 or more.</summary>
    public int Resamples
    {
        get;
        init => field = value >= 1 ? value : throw new ArgumentOutOfRangeException(nameof(Resamples), value, $"Resamples is {value}; expected 1 or more.");
    } = 10_000;

    /// <summary>Seed of the draws; the same seed gives the same bits.</summary>
    public int Seed { get; init; } = 42;

    /// <summary>Share of resamples inside the interval, between 0 and 1.</summary>
    public double Confidence
    {
        get;
        init => field = value is > 0 and < 1 ? value : throw new ArgumentOutOfRangeException(nameof(Confidence), value, $"Confidence is {value}; expected a share between 0 and 1.");
    } = 0.95;
}
