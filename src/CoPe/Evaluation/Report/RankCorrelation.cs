namespace CoPe.Evaluation.Report;

/// <summary>Correlation of ranks.</summary>
internal static class RankCorrelation
{
    /// <summary>
    /// Spearman's coefficient, ties by mean rank: <c>rho = cov(rank x, rank y) / (sd(rank x) sd(rank y))</c>;
    /// NaN below three pairs or where one side is constant.
    /// </summary>
    public static double Spearman(double[] x, double[] y)
    {
        if (x.Length != y.Length)
            throw new ArgumentException($"Found {x.Length} and {y.Length} values; expected as many of one as of the other.", nameof(y));
        if (x.Length < 3)
            return double.NaN;
        var (ranksX, ranksY) = (Ranks(x), Ranks(y));
        var mean = (x.Length - 1) / 2.0;
        var (covariance, varianceX, varianceY) = (0.0, 0.0, 0.0);
        for (var index = 0; index < x.Length; index++)
        {
            covariance += (ranksX[index] - mean) * (ranksY[index] - mean);
            varianceX += (ranksX[index] - mean) * (ranksX[index] - mean);
            varianceY += (ranksY[index] - mean) * (ranksY[index] - mean);
        }
        return varianceX == 0 || varianceY == 0 ? double.NaN : covariance / Math.Sqrt(varianceX * varianceY);
    }

    private static double[] Ranks(double[] values)
    {
        var order = Enumerable.Range(0, values.Length).OrderBy(index => values[index]).ToArray();
        var ranks = new double[values.Length];
        for (var start = 0; start < order.Length;)
        {
            var end = start;
            while (end + 1 < order.Length && values[order[end + 1]] == values[order[start]])
                end++;
            for (var place = start; place <= end; place++)
                ranks[order[place]] = (start + end) / 2.0;
            start = end + 1;
        }
        return ranks;
    }
}
