using CoPe.Experiments.Evaluation;

namespace CoPe.Experiments.Report;

/// <summary>Gains per user of one comparison in one metric, and what they add up to.</summary>
sealed record UserGains
{
    /// <summary>Largest difference that counts as equal: rounding, not a change.</summary>
    const double Rounding = 1e-12;

    /// <summary>The two methods.</summary>
    public required MethodComparison Comparison { get; init; }

    /// <summary>The metric.</summary>
    public required MetricColumn Metric { get; init; }

    /// <summary>The gains, best first; ties by user id.</summary>
    public required IReadOnlyList<UserGain> Sorted { get; init; }

    /// <summary>Users for whom the method is better.</summary>
    public int Helped => Sorted.Count(user => user.Gain > Rounding);

    /// <summary>Users for whom the method is worse.</summary>
    public int Hurt => Sorted.Count(user => user.Gain < -Rounding);

    /// <summary>Users for whom both are equal.</summary>
    public int Equal => Sorted.Count - Helped - Hurt;

    /// <summary>Mean gain over users.</summary>
    public double Mean => Sorted.Count == 0 ? double.NaN : Sorted.Average(user => user.Gain);

    /// <summary>The gains of the users that have a finite score of both methods.</summary>
    /// <exception cref="ArgumentException">A user has two scores of one method in one metric.</exception>
    public static UserGains Compute(ReportModel model, MethodComparison comparison, MetricColumn metric)
    {
        var methods = Scores(model, comparison.Method, metric.Name);
        var baselines = Scores(model, comparison.Baseline, metric.Name);
        var gains =
            from score in methods
            where baselines.ContainsKey(score.Key)
            let baseline = baselines[score.Key]
            let gain = metric.LowerIsBetter ? baseline - score.Value : score.Value - baseline
            let length = model.HistoryLengths.TryGetValue(score.Key, out var items) ? items : (int?)null
            select new UserGain(score.Key, score.Value, baseline, gain, length);
        var sorted = gains
            .OrderByDescending(user => user.Gain)
            .ThenBy(user => user.User, StringComparer.Ordinal)
            .ToList();
        return new UserGains
        {
            Comparison = comparison,
            Metric = metric,
            Sorted = sorted,
        };
    }

    static Dictionary<string, double> Scores(ReportModel model, string method, string metric)
    {
        var scores = new Dictionary<string, double>(StringComparer.Ordinal);
        var selected = model.UserScores.Where(score => score.Method == method && score.Metric == metric);
        foreach (var score in selected.Where(score => double.IsFinite(score.Value)))
        {
            if (!scores.TryAdd(score.User, score.Value))
            {
                throw new ArgumentException(
                    $"User '{score.User}' has two scores of method '{method}' in metric '{metric}'; "
                        + "the report expects one, the mean over the user's queries.",
                    nameof(model)
                );
            }
        }

        return scores;
    }
}

/// <summary>What a method changed for one user; a gain above 0 always means better.</summary>
sealed record UserGain(string User, double Method, double Baseline, double Gain, int? HistoryLength)
{
    /// <summary>The gain in words, for a hover title.</summary>
    public string Describe(MethodComparison comparison)
    {
        var method = $"{comparison.Method} {NumberFormat.Value(Method)}";
        var baseline = $"{comparison.Baseline} {NumberFormat.Value(Baseline)}";
        var history = HistoryLength is { } length ? $", {NumberFormat.Count(length, "history item")}" : "";
        return $"user {User}: {NumberFormat.Signed(Gain)} ({method}, {baseline}{history})";
    }
}

/// <summary>Correlation of ranks.</summary>
static class RankCorrelation
{
    /// <summary>
    /// Spearman's coefficient, ties by mean rank: <c>rho = cov(rank x, rank y) / (sd(rank x) sd(rank y))</c>;
    /// NaN below three pairs or where one side is constant.
    /// </summary>
    public static double Spearman(double[] x, double[] y)
    {
        if (x.Length != y.Length)
        {
            throw new ArgumentException(
                $"Found {x.Length} and {y.Length} values; expected as many of one as of the other.",
                nameof(y)
            );
        }

        if (x.Length < 3)
        {
            return double.NaN;
        }

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

    static double[] Ranks(double[] values)
    {
        var order = Enumerable.Range(0, values.Length).OrderBy(index => values[index]).ToArray();
        var ranks = new double[values.Length];
        var start = 0;
        while (start < order.Length)
        {
            var end = start;
            while (end + 1 < order.Length && values[order[end + 1]] == values[order[start]])
            {
                end++;
            }

            for (var rank = start; rank <= end; rank++)
            {
                ranks[order[rank]] = (start + end) / 2.0;
            }

            start = end + 1;
        }

        return ranks;
    }
}
