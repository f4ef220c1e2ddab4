namespace CoPe.Evaluation;

/// <summary>Resampling with replacement.</summary>
public static class Bootstrap
{
    /// <summary>The median of the means of resamples, which Hugging Face's <c>evaluate</c> reports as ROUGE; it jitters about the plain mean.</summary>
    /// <param name="values">One value or more.</param>
    /// <param name="seed">Seed of the draws; the same seed gives the same bits.</param>
    /// <param name="resamples">How many resamples, 1 or more.</param>
    /// <exception cref="ArgumentException">There is no value.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="resamples"/> is below 1.</exception>
    public static double MedianOfMeans(IReadOnlyList<double> values, int seed, int resamples = 1000) =>
        Percentile(Means(values, new Random(seed), resamples), 50);

    /// <summary>Means of resamples, each of as many values as there are, sorted.</summary>
    internal static double[] Means(IReadOnlyList<double> values, Random random, int resamples)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(resamples, 1);
        if (values.Count == 0) throw new ArgumentException("Resampling needs at least one value; found none.", nameof(values));
        var from = values.ToArray();
        var means = new double[resamples];
        for (var b = 0; b < resamples; b++)
        {
            var sum = 0.0;
            for (var i = 0; i < from.Length; i++) sum += from[random.Next(from.Length)];
            means[b] = sum / from.Length;
        }
        Array.Sort(means);
        return means;
    }

    /// <summary>A percentile of sorted values, linear between two of them.</summary>
    internal static double Percentile(double[] sorted, double percent)
    {
        var place = percent / 100 * (sorted.Length - 1);
        var below = (int)place;
        return below + 1 < sorted.Length ? sorted[below] + (place - below) * (sorted[below + 1] - sorted[below]) : sorted[below];
    }
}
