namespace CoPe.Experiments.Evaluation;

/// <summary>A mean, how sure it is, and of how many values.</summary>
/// <param name="Mean">Plain mean.</param>
/// <param name="StandardError">Standard deviation (ddof = 1) over the root of the count; 0 for a single value.</param>
/// <param name="Count">Number of values.</param>
public sealed record MeanWithError(double Mean, double StandardError, int Count)
{
    /// <summary>
    /// Mean and standard error of the values. <code>se = sqrt(sum (x - mean)^2 / (n - 1)) / sqrt(n)</code>
    /// </summary>
    /// <param name="values">One value or more.</param>
    /// <exception cref="ArgumentException">There is no value.</exception>
    public static MeanWithError Compute(IReadOnlyList<double> values)
    {
        if (values.Count == 0)
        {
            throw new ArgumentException("A mean needs at least one value; found none.", nameof(values));
        }

        var mean = values.Sum() / values.Count;
        if (values.Count == 1)
        {
            return new(mean, 0, 1);
        }

        var squares = values.Sum(value => (value - mean) * (value - mean));
        return new(mean, Math.Sqrt(squares / (values.Count - 1) / values.Count), values.Count);
    }
}

/// <summary>Standard errors of figures that are no mean, such as macro F1.</summary>
static class Jackknife
{
    /// <summary>
    /// From the figure with each observation left out in turn.
    /// <code>se = sqrt((n - 1) / n * sum (f_i - mean f)^2)</code>
    /// </summary>
    /// <remarks>
    /// Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, equation 11.5. 0 for a single observation.
    /// </remarks>
    public static double StandardError(IReadOnlyList<double> leaveOneOut)
    {
        if (leaveOneOut.Count < 2)
        {
            return 0;
        }

        var mean = leaveOneOut.Average();
        var squares = leaveOneOut.Sum(value => (value - mean) * (value - mean));
        return Math.Sqrt((leaveOneOut.Count - 1.0) / leaveOneOut.Count * squares);
    }
}

/// <summary>Resampling with replacement.</summary>
public static class Bootstrap
{
    /// <summary>
    /// The median of the means of resamples, which Hugging Face's <c>evaluate</c> reports as ROUGE; it is near the
    /// plain mean.
    /// </summary>
    /// <param name="values">One value or more.</param>
    /// <param name="seed">Seed of the draws; the same seed gives the same bits.</param>
    /// <param name="resamples">How many resamples, 1 or more.</param>
    /// <exception cref="ArgumentException">There is no value.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="resamples"/> is below 1.</exception>
    public static double MedianOfMeans(IReadOnlyList<double> values, int seed, int resamples = 1000) =>
        Percentile(Means(values, SeededRandom.Create(seed), resamples), 50);

    /// <summary>Means of resamples, each of as many values as there are, sorted.</summary>
    internal static double[] Means(IReadOnlyList<double> values, Random random, int resamples)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(resamples, 1);
        if (values.Count == 0)
        {
            throw new ArgumentException("Resampling needs at least one value; found none.", nameof(values));
        }

        var population = values.ToArray();
        var means = new double[resamples];
        for (var resample = 0; resample < resamples; resample++)
        {
            var sum = 0.0;
            for (var i = 0; i < population.Length; i++)
            {
                sum += population[random.Next(population.Length)];
            }

            means[resample] = sum / population.Length;
        }

        Array.Sort(means);
        return means;
    }

    /// <summary>A percentile of sorted values, linear between two of them.</summary>
    internal static double Percentile(double[] sorted, double percent)
    {
        var position = percent / 100 * (sorted.Length - 1);
        var below = (int)position;
        if (below + 1 >= sorted.Length)
        {
            return sorted[below];
        }

        return sorted[below] + (position - below) * (sorted[below + 1] - sorted[below]);
    }
}
