namespace CoPe.Data.Checking;

/// <summary>Lengths of texts of one kind.</summary>
public sealed class TextLengths
{
    readonly List<int> values = [];
    bool isSorted;

    /// <summary>How many.</summary>
    public int Count => values.Count;

    /// <summary>The shortest.</summary>
    public int Min => Quantile(0);

    /// <summary>The one in the middle.</summary>
    public int Median => Quantile(0.5);

    /// <summary>The one that 95 in 100 do not exceed.</summary>
    public int Percentile95 => Quantile(0.95);

    /// <summary>The longest.</summary>
    public int Max => Quantile(1);

    /// <summary>Takes a length.</summary>
    public void Add(int length)
    {
        values.Add(length);
        isSorted = false;
    }

    /// <summary>How many are longer.</summary>
    public int Above(int length) => values.Count(value => value > length);

    /// <summary>Counts by length in steps of powers of two: 0, 1, 2 to 3, 4 to 7, ...; from the first that is not empty to the last.</summary>
    public IReadOnlyList<LengthBucket> Histogram()
    {
        var counts = values.CountBy(Bucket).ToDictionary();
        if (counts.Count == 0) return [];
        var (first, last) = (counts.Keys.Min(), counts.Keys.Max());
        return [.. Enumerable.Range(first, last - first + 1).Select(bucket => new LengthBucket(bucket == 0 ? 0 : 1 << (bucket - 1), bucket == 0 ? 0 : (int)Math.Min(int.MaxValue, (1L << bucket) - 1), counts.GetValueOrDefault(bucket)))];
    }

    static int Bucket(int length) => length <= 0 ? 0 : int.Log2(length) + 1;

    int Quantile(double share)
    {
        if (values.Count == 0) return 0;
        if (!isSorted) values.Sort();
        isSorted = true;
        return values[(int)Math.Min(values.Count - 1, Math.Floor(share * values.Count))];
    }
}
