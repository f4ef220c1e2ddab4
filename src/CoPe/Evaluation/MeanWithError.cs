namespace CoPe.Evaluation;

/// <summary>A mean, how sure it is, and of how many values.</summary>
/// <param name="Mean">Plain mean.</param>
/// <param name="StandardError">Standard deviation (ddof = 1) over the root of the count; 0 for a single value.</param>
/// <param name="Count">Number of values.</param>
public sealed record MeanWithError(double Mean, double StandardError, int Count)
{
    /// <summary>Mean and standard error of the values. <code>se = sqrt(sum (x - mean)^2 / (n - 1)) / sqrt(n)</code></summary>
    /// <param name="values">One value or more.</param>
    /// <exception cref="ArgumentException">There is no value.</exception>
    public static MeanWithError Of(IReadOnlyList<double> values)
    {
        if (values.Count == 0) throw new ArgumentException("A mean needs at least one value; found none.", nameof(values));
        var mean = values.Sum() / values.Count;
        if (values.Count == 1) return new(mean, 0, 1);
        var squares = values.Sum(value => (value - mean) * (value - mean));
        return new(mean, Math.Sqrt(squares / (values.Count - 1) / values.Count), values.Count);
    }
}
