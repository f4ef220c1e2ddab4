namespace CoPe.Experiments.Evaluation;

/// <summary>Several runs of one recipe, which differ in their seed, as one.</summary>
public sealed record SeedAverage
{
    /// <summary>
    /// The report with each query's and each user's value averaged over the seeds; its standard errors are those over
    /// queries and users.
    /// </summary>
    public required EvaluationReport Report { get; init; }

    /// <summary>
    /// Method to metric to mean and standard error over the seeds' own means: how much the seed alone moves a mean.
    /// </summary>
    public required IReadOnlyDictionary<string, IReadOnlyDictionary<string, MeanWithError>> OverSeeds { get; init; }

    /// <summary>How many seeds there are.</summary>
    public required int SeedCount { get; init; }

    /// <summary>
    /// Standard deviation (ddof = 1) of a method's mean over the seeds; null where it has no such metric, 0 with one
    /// seed.
    /// </summary>
    public double? StandardDeviation(string method, string metric) =>
        OverSeeds.GetValueOrDefault(method)?.GetValueOrDefault(metric) is { } value
            ? value.StandardError * Math.Sqrt(value.Count)
            : null;

    /// <summary>Combines the runs of one recipe.</summary>
    /// <param name="reports">One report per seed, of the same task, methods and queries.</param>
    /// <exception cref="ArgumentException">There is none, or their tasks, methods or queries differ.</exception>
    public static SeedAverage Compute(IReadOnlyList<EvaluationReport> reports)
    {
        if (reports.Count == 0)
        {
            throw new ArgumentException(
                "An average over seeds needs at least one report; found none.",
                nameof(reports)
            );
        }

        var first = reports[0];
        if (reports.FirstOrDefault(report => !IsComparable(report, first)) is { } other)
        {
            throw new ArgumentException(
                $"The reports differ: {Describe(first)}, and {Describe(other)}. Combine runs of one recipe.",
                nameof(reports)
            );
        }

        var methods = first
            .Methods.Select(scores => reports.Select(report => report.ScoresOf(scores.Method)).ToList())
            .ToList();
        return new()
        {
            SeedCount = reports.Count,
            Report = first with
            {
                Methods = [.. methods.Select(Average)],
                Warnings = [.. reports.SelectMany(report => report.Warnings).Distinct()],
            },
            OverSeeds = methods.ToDictionary(seeds => seeds[0].Method, ComputeOverSeeds),
        };
    }

    static bool IsComparable(EvaluationReport one, EvaluationReport other) =>
        one.Task == other.Task
        && one.Methods.Select(scores => scores.Method).SequenceEqual(other.Methods.Select(scores => scores.Method));

    static IReadOnlyDictionary<string, MeanWithError> ComputeOverSeeds(IReadOnlyList<MethodScores> seeds) =>
        CommonMetrics(seeds)
            .ToDictionary(
                metric => metric,
                metric => MeanWithError.Compute([.. seeds.Select(scores => scores.Metrics[metric].Mean)])
            );

    static MethodScores Average(IReadOnlyList<MethodScores> seeds)
    {
        var first = seeds[0];
        var ids = first.Queries.Select(query => query.Id).ToList();
        if (seeds.Any(scores => !scores.Queries.Select(query => query.Id).SequenceEqual(ids)))
        {
            throw new ArgumentException(
                $"The reports scored different queries of {first.Method}. Combine runs over the same users.",
                nameof(seeds)
            );
        }

        var queries = first
            .Queries.Select(
                (query, i) => query with { Values = Average([.. seeds.Select(scores => scores.Queries[i].Values)]) }
            )
            .ToList();
        var users = first
            .Users.Select(
                (user, i) => user with { Values = Average([.. seeds.Select(scores => scores.Users[i].Values)]) }
            )
            .ToList();
        var means = ScoreAggregate.Means([.. queries.Select(query => query.Values)]);
        foreach (var metric in CommonMetrics(seeds))
        {
            // The mean is that of the seeds' own means, whichever way they were averaged. The error of a metric of all
            // answers together is no error of a mean: it is averaged over the seeds.
            if (!means.TryGetValue(metric, out var value))
            {
                var error = seeds.Average(scores => scores.Metrics[metric].StandardError);
                value = first.Metrics[metric] with { StandardError = error };
            }

            means[metric] = value with { Mean = seeds.Average(scores => scores.Metrics[metric].Mean) };
        }

        return first with
        {
            Metrics = means,
            OverUsers = ScoreAggregate.Means([.. users.Select(user => user.Values)]),
            Queries = queries,
            Users = users,
        };
    }

    /// <summary>Metrics that every seed has: distinct-2, for one, needs an answer of two words.</summary>
    static IEnumerable<string> CommonMetrics(IReadOnlyList<MethodScores> seeds) =>
        seeds[0].Metrics.Keys.Where(metric => seeds.All(scores => scores.Metrics.ContainsKey(metric)));

    static Dictionary<string, double> Average(IReadOnlyList<IReadOnlyDictionary<string, double>> seeds) =>
        seeds[0]
            .Keys.Where(metric => seeds.All(values => values.ContainsKey(metric)))
            .ToDictionary(metric => metric, metric => seeds.Average(values => values[metric]));

    static string Describe(EvaluationReport report) =>
        $"{report.Task} with {string.Join(", ", report.Methods.Select(scores => scores.Method))}";
}
