namespace CoPe.Data.Samples;

/// <summary>How much sample data is made, and from which seed.</summary>
public sealed record SampleOptions
{
    /// <summary>The same seed gives the same files.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Test users a task.</summary>
    public int Users { get; init => field = AtLeast(1, value, nameof(Users)); } = 24;

    /// <summary>Other users a task.</summary>
    public int OtherUsers { get; init => field = AtLeast(1, value, nameof(OtherUsers)); } = 300;

    /// <summary>Fewest history items of a test user.</summary>
    public int MinHistory { get; init => field = AtLeast(2, value, nameof(MinHistory)); } = 30;

    /// <summary>Most history items of a test user; not below <see cref="MinHistory"/>.</summary>
    public int MaxHistory { get; init => field = AtLeast(2, value, nameof(MaxHistory)); } = 50;

    /// <summary>History items of another user.</summary>
    public int OtherHistory { get; init => field = AtLeast(0, value, nameof(OtherHistory)); } = 5;

    /// <summary>Queries of every user.</summary>
    public int QueriesPerUser { get; init => field = AtLeast(1, value, nameof(QueriesPerUser)); } = 5;

    /// <summary>Documents of the neutral corpus.</summary>
    public int Documents { get; init => field = AtLeast(0, value, nameof(Documents)); } = 8_000;

    /// <summary>Pairs of request and answer for pre-training.</summary>
    public int Instructions { get; init => field = AtLeast(0, value, nameof(Instructions)); } = 10_000;

    static int AtLeast(int least, int value, string name) =>
        value >= least ? value : throw new ArgumentOutOfRangeException(name, value, $"{name} is {value}, expected {least} or more.");
}
