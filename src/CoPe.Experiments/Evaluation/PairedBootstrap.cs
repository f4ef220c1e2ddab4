namespace CoPe.Experiments.Evaluation;

/// <summary>
/// Differences of two methods in resamples of their units. Tests of equally many units share the draws, which for
/// thousands of users are most of the work.
/// </summary>
static class PairedBootstrap
{
    /// <summary>Resamples counted at once.</summary>
    const int BlockSize = 64;

    /// <summary>
    /// Of each test the difference in every resample, sorted; empty for a test of fewer than two units. A user's
    /// queries are drawn together.
    /// </summary>
    /// <param name="tests">
    /// Of each test the units: the sum of their differences, and how many queries they have.
    /// </param>
    /// <param name="options">Seed and number of resamples.</param>
    public static double[][] Resample(
        IReadOnlyList<IReadOnlyList<(double Sum, int Count)>> tests,
        PairedTestOptions options
    )
    {
        var resampled = tests.Select(units => new ResampledTest(units, options.Resamples)).ToList();
        foreach (var sameSize in resampled.Where(test => test.UnitCount >= 2).GroupBy(test => test.UnitCount))
        {
            Resample([.. sameSize], sameSize.Key, options);
        }

        Parallel.ForEach(resampled, test => Array.Sort(test.Differences));
        return [.. resampled.Select(test => test.Differences)];
    }

    static void Resample(ResampledTest[] tests, int units, PairedTestOptions options)
    {
        var random = SeededRandom.Create(options.Seed);
        var timesDrawn = new int[BlockSize * units];
        for (var first = 0; first < options.Resamples; first += BlockSize)
        {
            var rows = Math.Min(BlockSize, options.Resamples - first);
            Array.Clear(timesDrawn);
            for (var row = 0; row < rows; row++)
            {
                for (var i = 0; i < units; i++)
                {
                    timesDrawn[row * units + random.Next(units)]++;
                }
            }

            var firstRow = first;
            Parallel.ForEach(
                tests,
                test =>
                {
                    for (var row = 0; row < rows; row++)
                    {
                        var drawn = timesDrawn.AsSpan(row * units, units);
                        test.Differences[firstRow + row] = test.ComputeDifference(drawn);
                    }
                }
            );
        }
    }

    /// <summary>
    /// <code>sum times values</code> in four sums, so that no addition waits for the one before; the same bits on every
    /// machine.
    /// </summary>
    static double WeightedSum(ReadOnlySpan<int> times, double[] values)
    {
        var (a, b, c) = (0.0, 0.0, 0.0);
        var d = 0.0;
        var i = 0;
        for (; i + 3 < times.Length; i += 4)
        {
            a += times[i] * values[i];
            b += times[i + 1] * values[i + 1];
            c += times[i + 2] * values[i + 2];
            d += times[i + 3] * values[i + 3];
        }

        for (; i < times.Length; i++)
        {
            a += times[i] * values[i];
        }

        return a + b + (c + d);
    }

    /// <summary>The units of a test, and its difference in every resample.</summary>
    sealed class ResampledTest(IReadOnlyList<(double Sum, int Count)> units, int resamples)
    {
        readonly double[] _sums = [.. units.Select(unit => unit.Sum)];
        readonly double[] _counts = [.. units.Select(unit => (double)unit.Count)];

        /// <summary>Then every resample has as many queries.</summary>
        readonly bool _hasEqualCounts = units.All(unit => unit.Count == units[0].Count);

        public int UnitCount => _sums.Length;

        public double[] Differences { get; } = new double[units.Count < 2 ? 0 : resamples];

        public double ComputeDifference(ReadOnlySpan<int> timesDrawn)
        {
            var queries = _hasEqualCounts ? UnitCount * _counts[0] : WeightedSum(timesDrawn, _counts);
            return WeightedSum(timesDrawn, _sums) / queries;
        }
    }
}

/// <summary>Differences of two methods per unit: their sum over the unit's queries, and how many these are.</summary>
sealed record PairedDifferences(PairedUnit Unit, IReadOnlyList<(double Sum, int Count)> Units)
{
    public static PairedDifferences Compute(MethodScores method, MethodScores baseline, string metric, PairedUnit unit)
    {
        var baselineValues = baseline
            .Queries.Where(query => query.Values.ContainsKey(metric))
            .ToDictionary(query => query.Id, query => query.Values[metric], StringComparer.Ordinal);
        var shared = method
            .Queries.Where(query => query.Values.ContainsKey(metric) && baselineValues.ContainsKey(query.Id))
            .Select(query => (query.UserId, Difference: query.Values[metric] - baselineValues[query.Id]))
            .ToList();
        if (shared.Count == 0)
        {
            return new(PairedUnit.Users, ComputeOverUsers(method, baseline, metric));
        }

        if (unit == PairedUnit.Users && shared.All(query => query.UserId is not null))
        {
            var users = shared
                .GroupBy(query => query.UserId, StringComparer.Ordinal)
                .Select(user => (user.Sum(query => query.Difference), user.Count()))
                .ToList();
            if (users.Count > 1)
            {
                return new(PairedUnit.Users, users);
            }
        }

        return new(PairedUnit.Queries, [.. shared.Select(query => (query.Difference, 1))]);
    }

    /// <summary>For a metric that a single query does not have: the difference of each user's own value.</summary>
    static List<(double, int)> ComputeOverUsers(MethodScores method, MethodScores baseline, string metric)
    {
        var baselineValues = baseline
            .Users.Where(user => user.Values.ContainsKey(metric))
            .ToDictionary(user => user.UserId, user => user.Values[metric], StringComparer.Ordinal);
        return
        [
            .. method
                .Users.Where(user => user.Values.ContainsKey(metric) && baselineValues.ContainsKey(user.UserId))
                .Select(user => (user.Values[metric] - baselineValues[user.UserId], 1)),
        ];
    }
}
