namespace CoPe.Experiments.Evaluation;

/// <summary>From the values of queries to those of users and of a method.</summary>
static class ScoreAggregate
{
    /// <summary>
    /// Mean and standard error of each metric over the queries that have it, and the metrics of all answers together.
    /// </summary>
    public static IReadOnlyDictionary<string, MeanWithError> OverQueries(
        AnswerCorpus corpus,
        IReadOnlyList<QueryScores> queries
    )
    {
        var means = Means([.. queries.Select(query => query.Values)]);
        foreach (var (metric, value) in ScoreCorpus(corpus))
        {
            means[metric] = value;
        }

        if (corpus.Options.Average == AverageKind.BootstrapMedian)
        {
            foreach (var metric in Metric.All.Where(metric => metric.IsRouge && means.ContainsKey(metric.Name)))
            {
                var median = Bootstrap.MedianOfMeans(Values(queries, metric.Name), corpus.Options.Seed);
                means[metric.Name] = means[metric.Name] with { Mean = median };
            }
        }

        return means;
    }

    /// <summary>The scores of each user's answers; empty where a query names no user.</summary>
    public static IReadOnlyList<UserScores> ByUser(AnswerCorpus corpus, IReadOnlyList<QueryScores> queries)
    {
        if (queries.Any(query => query.UserId is null))
        {
            return [];
        }

        var users = queries
            .Zip(corpus.Answers, (query, answer) => (Query: query, Answer: answer))
            .GroupBy(pair => pair.Query.UserId!, StringComparer.Ordinal);
        return
        [
            .. users.Select(user =>
                ScoreUser(
                    user.Key,
                    corpus with
                    {
                        Answers = [.. user.Select(pair => pair.Answer)],
                    },
                    [.. user.Select(pair => pair.Query)]
                )
            ),
        ];
    }

    /// <summary>Mean and standard error of each metric over the rows that have it, in the order of tables.</summary>
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

    static UserScores ScoreUser(string user, AnswerCorpus corpus, IReadOnlyList<QueryScores> queries)
    {
        var values = Means([.. queries.Select(query => query.Values)])
            .ToDictionary(pair => pair.Key, pair => pair.Value.Mean);
        foreach (var (metric, value) in ScoreCorpus(corpus))
        {
            values[metric] = value.Mean;
        }

        return new()
        {
            UserId = user,
            Queries = queries.Count,
            HistoryItems = corpus.Answers[0].Gold.History.Count,
            Values = new MetricValues(values),
        };
    }

    static IEnumerable<KeyValuePair<string, MeanWithError>> ScoreCorpus(AnswerCorpus corpus) =>
        from metric in Metric.ForOutcome(corpus.Task.Outcome)
        let score = metric.ScoreCorpus
        where score is not null
        select KeyValuePair.Create(metric.Name, score(corpus));

    static List<double> Values(IReadOnlyList<QueryScores> queries, string metric) =>
        [.. queries.Where(query => query.Values.ContainsKey(metric)).Select(query => query.Values[metric])];
}
