namespace CoPe.Experiments.Evaluation;

/// <summary>
/// Differences of two methods in resamples of their units. Tests of equally many units share the draws, which for
/// thousands of users are most of the work.
/// </summary>
static class PairedBootstrap
{
    /// <summary>Resamples counted at once.</summary>
    const int Block = 64;

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
        var resampled = tests.Select(units => new double[units.Count < 2 ? 0 : options.Resamples]).ToArray();
        foreach (
            var alike in Enumerable
                .Range(0, tests.Count)
                .Where(test => tests[test].Count >= 2)
                .GroupBy(test => tests[test].Count)
        )
        {
            Draw([.. alike.Select(test => (tests[test], resampled[test]))], alike.Key, options);
        }

        Parallel.ForEach(resampled, Array.Sort);
        return resampled;
    }

    static void Draw(
        (IReadOnlyList<(double Sum, int Count)> Units, double[] Resampled)[] tests,
        int units,
        PairedTestOptions options
    )
    {
        var random = SeededRandom.Create(options.Seed);
        var sums = Array.ConvertAll(tests, test => test.Units.Select(unit => unit.Sum).ToArray());
        var counts = Array.ConvertAll(tests, test => test.Units.Select(unit => (double)unit.Count).ToArray());
        // Then every resample has as many queries.
        var isEven = Array.ConvertAll(counts, count => count.All(queries => queries == count[0]));
        var times = new int[Block * units];
        for (var first = 0; first < options.Resamples; first += Block)
        {
            var rows = Math.Min(Block, options.Resamples - first);
            Array.Clear(times);
            for (var row = 0; row < rows; row++)
            {
                for (var i = 0; i < units; i++)
                {
                    times[row * units + random.Next(units)]++;
                }
            }

            var start = first;
            Parallel.For(
                0,
                tests.Length,
                test =>
                {
                    for (var row = 0; row < rows; row++)
                    {
                        var drawn = times.AsSpan(row * units, units);
                        tests[test].Resampled[start + row] =
                            Total(drawn, sums[test])
                            / (isEven[test] ? units * counts[test][0] : Total(drawn, counts[test]));
                    }
                }
            );
        }
    }

    /// <summary>
    /// <code>sum times values</code> in four sums, so that no addition waits for the one before; the same bits on every
    /// machine.
    /// </summary>
    static double Total(ReadOnlySpan<int> times, double[] values)
    {
        double a = 0,
            b = 0,
            c = 0,
            d = 0;
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
}

/// <summary>Differences of two methods per unit: their sum over the unit's queries, and how many these are.</summary>
sealed record PairedDifferences(PairedUnit Unit, IReadOnlyList<(double Sum, int Count)> Units)
{
    public static PairedDifferences Compute(MethodScores method, MethodScores baseline, string metric, PairedUnit unit)
    {
        var other = baseline
            .Queries.Where(query => query.Values.ContainsKey(metric))
            .ToDictionary(query => query.Id, query => query.Values[metric], StringComparer.Ordinal);
        var shared = method
            .Queries.Where(query => query.Values.ContainsKey(metric) && other.ContainsKey(query.Id))
            .Select(query => (query.UserId, Difference: query.Values[metric] - other[query.Id]))
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
        var other = baseline
            .Users.Where(user => user.Values.ContainsKey(metric))
            .ToDictionary(user => user.UserId, user => user.Values[metric], StringComparer.Ordinal);
        return
        [
            .. method
                .Users.Where(user => user.Values.ContainsKey(metric) && other.ContainsKey(user.UserId))
                .Select(user => (user.Values[metric] - other[user.UserId], 1)),
        ];
    }
}
