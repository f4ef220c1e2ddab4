namespace CoPe.Evaluation.Report;

/// <summary>Gains per user of one comparison in one metric, and what they add up to.</summary>
internal sealed record UserGains
{
    /// <summary>Largest difference that counts as equal: rounding, not a change.</summary>
    private const double Rounding = 1e-12;

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
    public static UserGains Of(ReportModel model, MethodComparison comparison, MetricColumn metric)
    {
        var methods = Scores(model, comparison.Method, metric.Name);
        var baselines = Scores(model, comparison.Baseline, metric.Name);
        var gains = from score in methods
                    where baselines.ContainsKey(score.Key)
                    let baseline = baselines[score.Key]
                    let gain = metric.LowerIsBetter ? baseline - score.Value : score.Value - baseline
                    let length = model.HistoryLengths.TryGetValue(score.Key, out var items) ? items : (int?)null
                    select new UserGain(score.Key, score.Value, baseline, gain, length);
        var sorted = gains.OrderByDescending(user => user.Gain).ThenBy(user => user.User, StringComparer.Ordinal).ToList();
        return new UserGains { Comparison = comparison, Metric = metric, Sorted = sorted };
    }

    private static Dictionary<string, double> Scores(ReportModel model, string method, string metric)
    {
        var scores = new Dictionary<string, double>(StringComparer.Ordinal);
        foreach (var score in model.UserScores)
            if (score.Method == method && score.Metric == metric && double.IsFinite(score.Value) && !scores.TryAdd(score.User, score.Value))
                throw new ArgumentException(
                    $"User '{score.User}' has two scores of method '{method}' in metric '{metric}'; the report expects one, the mean over the user's queries.",
                    nameof(model));
        return scores;
    }
}
