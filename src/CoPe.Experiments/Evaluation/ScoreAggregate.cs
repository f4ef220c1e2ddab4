namespace CoPe.Experiments.Evaluation;

/// <summary>From the values of queries to those of users and of a method.</summary>
static class ScoreAggregate
{
    /// <summary>
    /// Mean and standard error of each metric over the queries that have it, the joint metric in its place.
    /// </summary>
    public static IReadOnlyDictionary<string, MeanWithError> OverQueries(
        IReadOnlyList<ScoredAnswer> answers,
        IReadOnlyList<QueryScores> queries,
        OutcomeScorer scorer,
        EvaluationOptions options
    )
    {
        var means = Means([.. queries.Select(query => query.Values)]);
        if (scorer.ScoreCorpus(answers) is var (metric, value))
        {
            means[metric.Name] = value;
        }

        if (options.Average == AverageKind.BootstrapMedian)
        {
            foreach (
                var rouge in means.Keys.Where(name => name.StartsWith("rouge-", StringComparison.Ordinal)).ToList()
            )
            {
                means[rouge] = means[rouge] with
                {
                    Mean = Bootstrap.MedianOfMeans(Values(queries, rouge), options.Seed),
                };
            }
        }

        return means;
    }

    /// <summary>What each user's answers scored together; empty where a query names no user.</summary>
    public static IReadOnlyList<UserScores> ByUser(
        IReadOnlyList<ScoredAnswer> answers,
        IReadOnlyList<QueryScores> queries,
        OutcomeScorer scorer
    )
    {
        if (queries.Any(query => query.UserId is null))
        {
            return [];
        }

        return
        [
            .. Enumerable
                .Range(0, queries.Count)
                .GroupBy(i => queries[i].UserId!, StringComparer.Ordinal)
                .Select(group => OfUser(group.Key, [.. group])),
        ];

        UserScores OfUser(string user, IReadOnlyList<int> places)
        {
            var values = Means([.. places.Select(i => queries[i].Values)])
                .ToDictionary(pair => pair.Key, pair => pair.Value.Mean);
            if (scorer.ScoreCorpus([.. places.Select(i => answers[i])]) is var (metric, value))
            {
                values[metric.Name] = value.Mean;
            }

            return new()
            {
                UserId = user,
                Queries = places.Count,
                HistoryItems = answers[places[0]].Gold.History.Count,
                Values = values,
            };
        }
    }

    /// <summary>Mean and standard error of each metric over those that have it, in the order of tables.</summary>
    public static Dictionary<string, MeanWithError> Means(IReadOnlyList<IReadOnlyDictionary<string, double>> rows)
    {
        var means = new Dictionary<string, MeanWithError>();
        foreach (var name in Metric.All.Select(metric => metric.Name))
        {
            var values = rows.Where(row => row.ContainsKey(name)).Select(row => row[name]).ToList();
            if (values.Count > 0)
            {
                means[name] = MeanWithError.Compute(values);
            }
        }
        return means;
    }

    static List<double> Values(IReadOnlyList<QueryScores> queries, string metric) =>
        [.. queries.Where(query => query.Values.ContainsKey(metric)).Select(query => query.Values[metric])];
}
