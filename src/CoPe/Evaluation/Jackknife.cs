namespace CoPe.Evaluation;

/// <summary>Standard errors of figures that are no mean, such as macro F1.</summary>
static class Jackknife
{
    /// <summary>From the figure with each observation left out in turn. <code>se = sqrt((n - 1) / n * sum (f_i - mean f)^2)</code></summary>
    /// <remarks>Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, equation 11.5. 0 for a single observation.</remarks>
    public static double StandardError(IReadOnlyList<double> leftOut)
    {
        if (leftOut.Count < 2) return 0;
        var mean = leftOut.Average();
        return Math.Sqrt((leftOut.Count - 1.0) / leftOut.Count * leftOut.Sum(value => (value - mean) * (value - mean)));
    }
}
