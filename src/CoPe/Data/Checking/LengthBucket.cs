namespace CoPe.Data.Checking;

/// <summary>A bar of a histogram of lengths.</summary>
/// <param name="From">Shortest length, included.</param>
/// <param name="To">Longest length, included.</param>
/// <param name="Count">Texts of these lengths.</param>
public readonly record struct LengthBucket(int From, int To, int Count);
