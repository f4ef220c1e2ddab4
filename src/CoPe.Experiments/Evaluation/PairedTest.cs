using System.ComponentModel.DataAnnotations;

namespace CoPe.Experiments.Evaluation;

/// <summary>Tests of two methods on the same queries.</summary>
public static class PairedTest
{
    /// <summary>
    /// Fewest units that the bootstrap's p-value can be trusted with: three users have 27 different resamples.
    /// </summary>
    public const int MinUnitsForBootstrap = 10;

    const double Tolerance = 1e-12;

    /// <summary>Compares a method with another on one metric.</summary>
    /// <param name="method">Scores of the method.</param>
    /// <param name="baseline">Scores of the method it is tested against, on the same golds.</param>
    /// <param name="metric">The metric.</param>
    /// <param name="options">How; null takes the defaults.</param>
    /// <exception cref="InvalidOperationException">The methods share no query or user that has the metric.</exception>
    public static PairedComparison Compare(
        MethodScores method,
        MethodScores baseline,
        Metric metric,
        PairedTestOptions? options = null
    ) => CompareAll([(method, baseline, metric)], options)[0];

    /// <summary>
    /// Makes many comparisons, which share the draws of the bootstrap: each is what it would be alone.
    /// </summary>
    /// <param name="tests">Methods, what they are tested against, and on which metric.</param>
    /// <param name="options">How; null takes the defaults.</param>
    /// <exception cref="InvalidOperationException">Methods share no query or user that has the metric.</exception>
    public static IReadOnlyList<PairedComparison> CompareAll(
        IEnumerable<(MethodScores Method, MethodScores Baseline, Metric Metric)> tests,
        PairedTestOptions? options = null
    )
    {
        ArgumentNullException.ThrowIfNull(tests);
        options ??= new();
        var cases = tests.ToList();
        var differences = cases
            .AsParallel()
            .AsOrdered()
            .Select(test => PairedDifferences.Compute(test.Method, test.Baseline, test.Metric.Name, options.Unit))
            .ToList();
        foreach (var ((method, baseline, metric), difference) in cases.Zip(differences))
        {
            if (difference.Units.Sums.Length == 0)
            {
                var unit = difference.Unit == PairedUnit.Users ? "user" : "query";
                throw new InvalidOperationException(
                    $"{method.Method} and {baseline.Method} share no {unit} with a value of {metric.Name}."
                );
            }
        }

        var resampled = PairedBootstrap.Resample([.. differences.Select(difference => difference.Units)], options);
        return
        [
            .. cases.Select((test, index) => CreateComparison(test, differences[index], resampled[index], options)),
        ];
    }

    static PairedComparison CreateComparison(
        (MethodScores Method, MethodScores Baseline, Metric Metric) test,
        PairedDifferences differences,
        double[] resampled,
        PairedTestOptions options
    )
    {
        var units = differences.Units;
        var count = units.Sums.Length;
        var difference = units.Sums.Sum() / units.QueryCount;
        var sign = test.Metric.Direction == MetricDirection.Lower ? -1 : 1;
        var helped = Enumerable.Range(0, count).Count(unit => sign * units.MeanOf(unit) > Tolerance);
        var hurt = Enumerable.Range(0, count).Count(unit => sign * units.MeanOf(unit) < -Tolerance);
        var isResampled = resampled.Length > 0;
        return new()
        {
            Method = test.Method.Method,
            Baseline = test.Baseline.Method,
            Metric = test.Metric,
            Unit = differences.Unit,
            Units = count,
            Difference = difference,
            StandardError = isResampled ? StandardDeviation(resampled) : double.NaN,
            Low = isResampled ? Bootstrap.Percentile(resampled, 50 - 50 * options.Confidence) : double.NaN,
            High = isResampled ? Bootstrap.Percentile(resampled, 50 + 50 * options.Confidence) : double.NaN,
            BootstrapP = isResampled ? PValue(resampled, difference) : 1,
            SignP = SignTest(helped, hurt),
            Helped = helped,
            Hurt = hurt,
            Equal = count - helped - hurt,
        };
    }

    /// <summary>
    /// The exact two-sided sign test.
    /// <code>p = min(1, 2 P(X &lt;= min(helped, hurt))), X ~ Binomial(helped + hurt, 1/2)</code>
    /// </summary>
    /// <param name="helped">How many got better, 0 or more.</param>
    /// <param name="hurt">How many got worse, 0 or more; those that stayed the same do not count.</param>
    /// <exception cref="ArgumentOutOfRangeException">A count is negative.</exception>
    public static double SignTest(int helped, int hurt)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(helped);
        ArgumentOutOfRangeException.ThrowIfNegative(hurt);
        var n = helped + hurt;
        var sum = 0.0;
        var logProbability = -n * Math.Log(2); // log of C(n, k) / 2^n, from k = 0
        for (var k = 0; k <= Math.Min(helped, hurt); k++)
        {
            sum += Math.Exp(logProbability);
            logProbability += Math.Log(n - k) - Math.Log(k + 1);
        }

        return Math.Min(1, 2 * sum);
    }

    /// <summary>
    /// Two-sided p-value of a difference from its resamples, shifted to no difference.
    /// <code>p = (1 + #{|d* - d| >= |d|}) / (B + 1)</code>
    /// </summary>
    /// <remarks>Davison and Hinkley, "Bootstrap Methods and their Application", 1997, section 4.2.</remarks>
    static double PValue(double[] resampled, double difference)
    {
        var threshold = Math.Abs(difference) - Tolerance;
        var asExtreme = resampled.Count(value => Math.Abs(value - difference) >= threshold);
        return (1.0 + asExtreme) / (resampled.Length + 1);
    }

    static double StandardDeviation(double[] values)
    {
        var mean = values.Average();
        var squares = values.Sum(value => (value - mean) * (value - mean));
        return Math.Sqrt(squares / Math.Max(1, values.Length - 1));
    }
}

/// <summary>How two methods are compared.</summary>
public sealed record PairedTestOptions
{
    /// <summary>
    /// What is resampled and counted. Where fewer than two users are known, queries are, and the comparison says so.
    /// </summary>
    [CodeOnly]
    public PairedUnit Unit { get; init; } = PairedUnit.Users;

    /// <summary>Resamples of the paired bootstrap between methods.</summary>
    [Range(100, 1_000_000)]
    public int Resamples
    {
        get;
        init => field = OptionGuard.Check(typeof(PairedTestOptions), value);
    } = 10_000;

    /// <summary>Seed of the draws; the same seed gives the same bits.</summary>
    [CodeOnly]
    public int Seed { get; init; } = 42;

    /// <summary>Share of resamples inside the interval, between 0 and 1.</summary>
    [CodeOnly]
    public double Confidence
    {
        get;
        init
        {
            if (value is not (> 0 and < 1))
            {
                throw new ArgumentOutOfRangeException(
                    nameof(Confidence),
                    value,
                    $"Confidence is {value}; expected a share between 0 and 1."
                );
            }

            field = value;
        }
    } = 0.95;
}

/// <summary>What is resampled and counted when two methods are compared.</summary>
public enum PairedUnit
{
    /// <summary>Users, each with all their queries: queries of one user are not independent.</summary>
    Users,

    /// <summary>Single queries.</summary>
    Queries,
}

/// <summary>Whether a method does better than another on one metric, and for whom.</summary>
public sealed record PairedComparison
{
    /// <summary>The method tested.</summary>
    public required string Method { get; init; }

    /// <summary>The method it is tested against.</summary>
    public required string Baseline { get; init; }

    /// <summary>The metric.</summary>
    public required Metric Metric { get; init; }

    /// <summary>What was resampled and counted.</summary>
    public required PairedUnit Unit { get; init; }

    /// <summary>How many of them both methods have.</summary>
    public required int Units { get; init; }

    /// <summary>
    /// The method's mean less the baseline's, over the queries that both have; where the metric has no value of a
    /// query, over users.
    /// </summary>
    public required double Difference { get; init; }

    /// <summary>Standard error of the difference, from the resamples; NaN with fewer than two units.</summary>
    public required double StandardError { get; init; }

    /// <summary>Lower end of the bootstrap interval; NaN with fewer than two units.</summary>
    public required double Low { get; init; }

    /// <summary>Upper end of the bootstrap interval; NaN with fewer than two units.</summary>
    public required double High { get; init; }

    /// <summary>
    /// Two-sided p-value of the paired bootstrap; 1 with fewer than two units, from which nothing follows.
    /// </summary>
    public required double BootstrapP { get; init; }

    /// <summary>Two-sided p-value of the sign test over the units.</summary>
    public required double SignP { get; init; }

    /// <summary>Units for which the method is better (for a neutral metric: higher).</summary>
    public required int Helped { get; init; }

    /// <summary>Units for which it is worse (for a neutral metric: lower).</summary>
    public required int Hurt { get; init; }

    /// <summary>Units for which both are the same.</summary>
    public required int Equal { get; init; }
}
