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
    /// <param name="tests">The units of each test.</param>
    /// <param name="options">Seed and number of resamples.</param>
    public static double[][] Resample(IReadOnlyList<PairedUnits> tests, PairedTestOptions options)
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
    sealed class ResampledTest(PairedUnits units, int resamples)
    {
        public int UnitCount => units.Sums.Length;

        public double[] Differences { get; } = new double[units.Sums.Length < 2 ? 0 : resamples];

        public double ComputeDifference(ReadOnlySpan<int> timesDrawn)
        {
            // Where all units have as many queries, every resample has.
            var queries = units.Counts is { } counts
                ? WeightedSum(timesDrawn, counts)
                : UnitCount * (double)units.CountOfEach;
            return WeightedSum(timesDrawn, units.Sums) / queries;
        }
    }
}

/// <summary>
/// The units of a paired test as numbers alone, for there are hundreds of tests over all users of a run.
/// </summary>
sealed class PairedUnits
{
    /// <param name="units">Of each unit the sum of its queries' differences, and how many queries it has.</param>
    public PairedUnits(IReadOnlyList<(double Sum, int Count)> units)
    {
        Sums = [.. units.Select(unit => unit.Sum)];
        CountOfEach = units.Count == 0 ? 0 : units[0].Count;
        Counts = units.All(unit => unit.Count == CountOfEach) ? null : [.. units.Select(unit => (double)unit.Count)];
    }

    /// <summary>Of each unit the sum of its queries' differences.</summary>
    public double[] Sums { get; }

    /// <summary>How many queries each unit has; null where all have <see cref="CountOfEach"/>.</summary>
    public double[]? Counts { get; }

    /// <summary>How many queries the first unit has.</summary>
    public int CountOfEach { get; }

    /// <summary>How many queries all units have.</summary>
    public double QueryCount => Counts?.Sum() ?? (double)CountOfEach * Sums.Length;

    /// <summary>The mean difference of a unit's queries.</summary>
    public double MeanOf(int unit) => Sums[unit] / (Counts?[unit] ?? CountOfEach);
}

/// <summary>Differences of two methods per unit.</summary>
sealed record PairedDifferences(PairedUnit Unit, PairedUnits Units)
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
            return new(PairedUnit.Users, new(ComputeOverUsers(method, baseline, metric)));
        }

        if (unit == PairedUnit.Users && shared.All(query => query.UserId is not null))
        {
            var users = shared
                .GroupBy(query => query.UserId, StringComparer.Ordinal)
                .Select(user => (user.Sum(query => query.Difference), user.Count()))
                .ToList();
            if (users.Count > 1)
            {
                return new(PairedUnit.Users, new(users));
            }
        }

        return new(PairedUnit.Queries, new([.. shared.Select(query => (query.Difference, 1))]));
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
