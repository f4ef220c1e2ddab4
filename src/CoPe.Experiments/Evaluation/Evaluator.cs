using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Evaluation;

/// <summary>
/// Predictions of any number of methods and the users' real answers in, figures out. Nothing is written, least of all
/// into the inputs.
/// </summary>
public static class Evaluator
{
    /// <summary>Scores each method; what the task asks for decides the metrics.</summary>
    /// <param name="task">The task.</param>
    /// <param name="golds">The real answers, ids unique.</param>
    /// <param name="predictions">
    /// Method name, for example <c>sft+cd</c>, to its predictions, in the order in which the report lists them.
    /// </param>
    /// <param name="options">How; null takes the defaults.</param>
    /// <param name="cancellationToken">Stops between two queries.</param>
    /// <exception cref="InvalidDataException">
    /// There is no gold, an id occurs twice, a gold cannot be read, or ids do not match and the options ask for an
    /// error.
    /// </exception>
    public static EvaluationReport Evaluate(
        LampTask task,
        IReadOnlyList<GoldAnswer> golds,
        OrderedDictionary<string, PredictionFile> predictions,
        EvaluationOptions? options = null,
        CancellationToken cancellationToken = default
    )
    {
        options ??= new();
        var scorer = OutcomeScorer.Create(task, options);
        Check(task, golds, scorer);
        var own = OwnTextsOf(golds);
        var warnings = new List<string>();
        var methods = new List<MethodScores>();
        foreach (var (method, file) in predictions)
        {
            var matched = MatchedAnswers.Match(task, method, golds, file, options.Mismatch);
            warnings.AddRange(matched.Warnings);
            var answers = matched
                .Pairs.Select(pair => new ScoredAnswer(
                    pair.Gold,
                    pair.Output,
                    own.GetValueOrDefault(pair.Gold.History)
                ))
                .ToList();
            if (scorer.DescribeUnreadable(answers) is { } complaint)
            {
                warnings.Add($"{method}: {complaint}");
            }

            methods.Add(
                Score(method, answers, scorer, options, cancellationToken) with
                {
                    Model = file.Model,
                    MissingIds = matched.MissingIds,
                    UnknownIds = matched.UnknownIds,
                }
            );
        }
        return new()
        {
            Task = task.Name,
            Methods = methods,
            Warnings = warnings,
        };
    }

    static MethodScores Score(
        string method,
        List<ScoredAnswer> answers,
        OutcomeScorer scorer,
        EvaluationOptions options,
        CancellationToken cancellationToken
    )
    {
        var queries = new QueryScores[answers.Count];
        Parallel.For(
            0,
            answers.Count,
            new() { CancellationToken = cancellationToken },
            i =>
                queries[i] = new()
                {
                    Id = answers[i].Gold.Id,
                    UserId = answers[i].Gold.UserId,
                    Values = scorer.Score(answers[i]),
                }
        );
        var users = ScoreAggregate.ByUser(answers, queries, scorer);
        return new()
        {
            Method = method,
            Metrics = ScoreAggregate.OverQueries(answers, queries, scorer, options),
            OverUsers = ScoreAggregate.Means([.. users.Select(user => user.Values)]),
            Queries = queries,
            Users = users,
        };
    }

    static void Check(LampTask task, IReadOnlyList<GoldAnswer> golds, OutcomeScorer scorer)
    {
        if (golds.Count == 0)
        {
            throw new InvalidDataException(
                $"{task.Name}: there is no gold to score against. Expected at least one query with an answer in the label file."
            );
        }

        var twice = golds.CountBy(gold => gold.Id).Where(pair => pair.Value > 1).Select(pair => pair.Key).ToList();
        if (twice.Count > 0)
        {
            throw new InvalidDataException(
                $"{task.Name}: the golds have {IdList.Format(twice, "id")} more than once. An id names one query of one user."
            );
        }

        scorer.ValidateGolds(golds);
    }

    static Dictionary<IReadOnlyList<string>, Lazy<HistoryStatistics>> OwnTextsOf(IReadOnlyList<GoldAnswer> golds)
    {
        var own = new Dictionary<IReadOnlyList<string>, Lazy<HistoryStatistics>>(ReferenceEqualityComparer.Instance);
        foreach (var history in golds.Select(gold => gold.History))
        {
            if (history.Count > 0)
            {
                own.TryAdd(history, new(() => new(history)));
            }
        }

        return own;
    }
}
