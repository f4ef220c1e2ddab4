namespace CoPe.Evaluation;

/// <summary>Tests of two methods on the same queries.</summary>
public static class PairedTest
{
    /// <summary>Fewest units that the bootstrap's p-value can be trusted with: three users have 27 different resamples.</summary>
    public const int FewestForBootstrap = 10;

    const double Same = 1e-12;

    /// <summary>Compares a method with another on one metric.</summary>
    /// <param name="method">Scores of the method.</param>
    /// <param name="baseline">Scores of the method it is tested against, on the same golds.</param>
    /// <param name="metric">The metric.</param>
    /// <param name="options">How; null takes the defaults.</param>
    /// <exception cref="InvalidOperationException">The methods share no query or user that has the metric.</exception>
    public static PairedComparison Compare(MethodScores method, MethodScores baseline, Metric metric, PairedTestOptions? options = null) => CompareAll([(method, baseline, metric)], options)[0];

    /// <summary>Makes many comparisons, which share the draws of the bootstrap: each is what it would be alone.</summary>
    /// <param name="tests">Methods, what they are tested against, and on which metric.</param>
    /// <param name="options">How; null takes the defaults.</param>
    /// <exception cref="InvalidOperationException">Methods share no query or user that has the metric.</exception>
    public static IReadOnlyList<PairedComparison> CompareAll(IEnumerable<(MethodScores Method, MethodScores Baseline, Metric Metric)> tests, PairedTestOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(tests);
        options ??= new();
        var pairs = tests.AsParallel().AsOrdered().Select(test => (Test: test, Pairs: PairedValues.Of(test.Method, test.Baseline, test.Metric.Name, options.Unit))).ToList();
        foreach (var (test, values) in pairs)
            if (values.Units.Count == 0)
                throw new InvalidOperationException($"{test.Method.Method} and {test.Baseline.Method} share no {(values.Unit == PairedUnit.Users ? "user" : "query")} with a value of {test.Metric.Name}.");
        var resampled = PairedResamples.Of([.. pairs.Select(pair => pair.Pairs.Units)], options);
        return [.. pairs.Select((pair, index) => Comparison(pair.Test, pair.Pairs, resampled[index], options))];
    }

    static PairedComparison Comparison((MethodScores Method, MethodScores Baseline, Metric Metric) test, PairedValues pairs, double[] resampled, PairedTestOptions options)
    {
        var difference = pairs.Units.Sum(unit => unit.Sum) / pairs.Units.Sum(unit => unit.Count);
        var sign = test.Metric.Direction == MetricDirection.Lower ? -1 : 1;
        var helped = pairs.Units.Count(unit => sign * unit.Sum / unit.Count > Same);
        var hurt = pairs.Units.Count(unit => sign * unit.Sum / unit.Count < -Same);
        return new()
        {
            Method = test.Method.Method, Baseline = test.Baseline.Method, Metric = test.Metric, Unit = pairs.Unit, Units = pairs.Units.Count, Difference = difference,
            StandardError = resampled.Length == 0 ? double.NaN : Deviation(resampled),
            Low = resampled.Length == 0 ? double.NaN : Bootstrap.Percentile(resampled, 50 - 50 * options.Confidence),
            High = resampled.Length == 0 ? double.NaN : Bootstrap.Percentile(resampled, 50 + 50 * options.Confidence),
            BootstrapP = resampled.Length == 0 ? 1 : PValue(resampled, difference), SignP = SignTest(helped, hurt),
            Helped = helped, Hurt = hurt, Equal = pairs.Units.Count - helped - hurt,
        };
    }

    /// <summary>The exact two-sided sign test. <code>p = min(1, 2 P(X &lt;= min(helped, hurt))), X ~ Binomial(helped + hurt, 1/2)</code></summary>
    /// <param name="helped">How many got better, 0 or more.</param>
    /// <param name="hurt">How many got worse, 0 or more; those that stayed the same do not count.</param>
    /// <exception cref="ArgumentOutOfRangeException">A count is negative.</exception>
    public static double SignTest(int helped, int hurt)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(helped);
        ArgumentOutOfRangeException.ThrowIfNegative(hurt);
        var all = helped + hurt;
        var (sum, log) = (0.0, -all * Math.Log(2));                  // log of C(n, k) / 2^n, from k = 0
        for (var k = 0; k <= Math.Min(helped, hurt); k++)
        {
            sum += Math.Exp(log);
            log += Math.Log(all - k) - Math.Log(k + 1);
        }
        return Math.Min(1, 2 * sum);
    }

    /// <summary>Two-sided p-value of a difference from its resamples, shifted to no difference. <code>p = (1 + #{|d* - d| >= |d|}) / (B + 1)</code></summary>
    /// <remarks>Davison and Hinkley, "Bootstrap Methods and their Application", 1997, section 4.2.</remarks>
    static double PValue(double[] resampled, double difference) =>
        (1.0 + resampled.Count(value => Math.Abs(value - difference) >= Math.Abs(difference) - Same)) / (resampled.Length + 1);

    static double Deviation(double[] values)
    {
        var mean = values.Average();
        return Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / Math.Max(1, values.Length - 1));
    }
}
