namespace CoPe.Data;

/// <summary>How much of each history becomes development queries.</summary>
public sealed record DevelopmentSplitOptions
{
    /// <summary>Most queries a user.</summary>
    public int QueriesPerUser { get; init => field = value >= 1 ? value : throw new ArgumentOutOfRangeException(nameof(QueriesPerUser), value, $"QueriesPerUser is {value}, expected 1 or more."); } = 5;

    /// <summary>Largest part of a history that may become queries (one item is always taken), above 0 and at most 0.5.</summary>
    public double LargestFraction { get; init => field = value is > 0 and <= 0.5 ? value : throw new ArgumentOutOfRangeException(nameof(LargestFraction), value, $"LargestFraction is {value}, expected above 0 and at most 0.5."); } = 0.2;
}
