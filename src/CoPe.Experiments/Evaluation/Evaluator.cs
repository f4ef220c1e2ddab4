using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Evaluation;

/// <summary>
/// Scores the predictions of any number of methods against the users' own answers. Nothing is written.
/// </summary>
public static class Evaluator
{
    const int GoldsPerBlock = 256;

    /// <summary>Scores each method; what the task asks for decides the metrics.</summary>
    /// <param name="task">The task.</param>
    /// <param name="golds">The users' own answers, ids unique.</param>
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
        AnswerChecks.RequireUsableGolds(task, golds);
        var warnings = new List<string>();
        if (AnswerChecks.DescribeUnseen(task, golds, options) is { } unseen)
        {
            warnings.Add(unseen);
        }

        var methods = new List<MethodAnswers>();
        foreach (var (method, file) in predictions)
        {
            var matched = MatchedAnswers.Match(task, method, golds, file, options.Mismatch);
            warnings.AddRange(matched.Warnings);
            var answers = matched.Pairs.Select(pair => new ScoredAnswer(pair.Gold, pair.Prediction));
            var corpus = new AnswerCorpus(task, options, [.. answers]);
            if (AnswerChecks.DescribeUnreadable(corpus) is { } unreadable)
            {
                warnings.Add($"{method}: {unreadable}");
            }

            methods.Add(new(method, file.Model, matched, corpus));
        }

        var queries = ScoreQueries(golds, [.. methods.Select(method => method.Corpus)], options, cancellationToken);
        return new()
        {
            Task = task.Name,
            Methods = [.. methods.Zip(queries, Summarize)],
            Warnings = warnings,
        };
    }

    /// <summary>
    /// The scores of every answer of every method. What is computed of a user's history is kept while the golds around
    /// theirs are scored.
    /// </summary>
    static List<QueryScores[]> ScoreQueries(
        IReadOnlyList<GoldAnswer> golds,
        List<AnswerCorpus> corpora,
        EvaluationOptions options,
        CancellationToken cancellationToken
    )
    {
        var scores = corpora.ConvertAll(corpus => new QueryScores[corpus.Answers.Count]);
        var next = new int[corpora.Count];
        foreach (var block in golds.Chunk(GoldsPerBlock))
        {
            var histories = CreateHistoryStatistics(block, options.Tokenizer);
            var due = new List<(int Method, int Answer)>();
            for (var method = 0; method < corpora.Count; method++)
            {
                var answers = corpora[method].Answers; // in the order of the golds
                foreach (var gold in block)
                {
                    if (next[method] < answers.Count && ReferenceEquals(answers[next[method]].Gold, gold))
                    {
                        due.Add((method, next[method]++));
                    }
                }
            }

            Parallel.For(
                0,
                due.Count,
                new() { CancellationToken = cancellationToken },
                i =>
                {
                    var (method, place) = due[i];
                    var answer = corpora[method].Answers[place];
                    var history = histories.GetValueOrDefault(answer.Gold.History);
                    scores[method][place] = ScoreQuery(answer, corpora[method], history);
                }
            );
        }

        return scores;
    }

    static MethodScores Summarize(MethodAnswers method, QueryScores[] queries)
    {
        var users = ScoreAggregate.ByUser(method.Corpus, queries);
        return new()
        {
            Method = method.Name,
            Model = method.Model,
            Metrics = ScoreAggregate.OverQueries(method.Corpus, queries),
            OverUsers = ScoreAggregate.Means([.. users.Select(user => user.Values)]),
            Queries = queries,
            Users = users,
            MissingIds = method.Matched.MissingIds,
            UnknownIds = method.Matched.UnknownIds,
        };
    }

    static QueryScores ScoreQuery(ScoredAnswer answer, AnswerCorpus corpus, Lazy<HistoryStatistics>? history)
    {
        var features = new AnswerFeatures(answer, corpus.Options, history);
        var values = new List<KeyValuePair<string, double>>();
        foreach (var metric in Metric.ForOutcome(corpus.Task.Outcome))
        {
            if (metric.ScoreAnswer?.Invoke(features) is { } value)
            {
                values.Add(new(metric.Name, value));
            }
        }

        return new()
        {
            Id = answer.Gold.Id,
            UserId = answer.Gold.UserId,
            Values = new MetricValues(values),
        };
    }

    /// <summary>Golds of one user share one list of texts, and so one set of statistics.</summary>
    static Dictionary<IReadOnlyList<string>, Lazy<HistoryStatistics>> CreateHistoryStatistics(
        IReadOnlyList<GoldAnswer> golds,
        WordTokenizerKind tokenizer
    )
    {
        var statistics = new Dictionary<IReadOnlyList<string>, Lazy<HistoryStatistics>>(
            ReferenceEqualityComparer.Instance
        );
        foreach (var history in golds.Select(gold => gold.History))
        {
            if (history.Count > 0)
            {
                statistics.TryAdd(history, new(() => new(history, tokenizer)));
            }
        }

        return statistics;
    }

    sealed record MethodAnswers(string Name, string? Model, MatchedAnswers Matched, AnswerCorpus Corpus);
}

/// <summary>Whether golds and predictions are what their kind of task needs.</summary>
static class AnswerChecks
{
    /// <exception cref="InvalidDataException">
    /// There is no gold, an id occurs twice, or a gold cannot be read.
    /// </exception>
    public static void RequireUsableGolds(LampTask task, IReadOnlyList<GoldAnswer> golds)
    {
        if (golds.Count == 0)
        {
            throw new InvalidDataException(
                $"{task.Name}: there is no gold to score against. "
                    + "Expected at least one query with an answer in the label file."
            );
        }

        var duplicates = golds.CountBy(gold => gold.Id).Where(pair => pair.Value > 1).Select(pair => pair.Key).ToList();
        if (duplicates.Count > 0)
        {
            throw new InvalidDataException(
                $"{task.Name}: the golds have {IdList.Format(duplicates, "id")} more than once. "
                    + "An id names one query of one user."
            );
        }

        if (task.Outcome == TaskOutcome.Rating)
        {
            RequireNumbers(golds);
        }
    }

    /// <summary>What of the predictions cannot be read, and what it counts as; null where all can.</summary>
    public static string? DescribeUnreadable(AnswerCorpus corpus) =>
        corpus.Task.Outcome switch
        {
            TaskOutcome.Category => DescribeUnknownLabels(corpus),
            TaskOutcome.Rating => DescribeNonNumbers(corpus),
            _ => null,
        };

    /// <summary>How many golds are in letters that ROUGE does not count; null where all can be seen.</summary>
    public static string? DescribeUnseen(LampTask task, IReadOnlyList<GoldAnswer> golds, EvaluationOptions options)
    {
        if (task.Outcome != TaskOutcome.Text || options.Tokenizer != WordTokenizerKind.RougeScore)
        {
            return null;
        }

        var unseen = golds.Count(gold => TextScripts.IsMostlyBeyondAscii(gold.Text));
        return unseen == 0
            ? null
            : $"{unseen} of {golds.Count} texts of the users are mostly in letters beyond a to z, of which ROUGE (as "
                + "the package rouge_score counts words) sees nothing: "
                + "evaluate.tokenizer=unicode counts words of any script";
    }

    static void RequireNumbers(IReadOnlyList<GoldAnswer> golds)
    {
        var others = golds.Where(gold => RatingMetrics.Parse(gold.Text) is null).Select(gold => gold.Id).ToList();
        if (others.Count > 0)
        {
            throw new InvalidDataException(
                $"The golds of {IdList.Format(others, "id")} are no numbers, which a rating task needs. "
                    + "Correct the label file."
            );
        }
    }

    static string? DescribeUnknownLabels(AnswerCorpus corpus)
    {
        var known = corpus.Labels.Select(label => label.Trim()).ToHashSet(StringComparer.Ordinal);
        var others = corpus
            .Answers.Where(answer => !known.Contains(answer.Prediction.Trim()))
            .Select(answer => answer.Gold.Id)
            .ToList();
        if (others.Count == 0)
        {
            return null;
        }

        return $"{IdList.Format(others, "answer")} are none of the {known.Count} labels and count as wrong.";
    }

    static string? DescribeNonNumbers(AnswerCorpus corpus)
    {
        var others = corpus
            .Answers.Where(answer => RatingMetrics.Parse(answer.Prediction) is null)
            .Select(answer => answer.Gold.Id)
            .ToList();
        if (others.Count == 0)
        {
            return null;
        }

        var scale = corpus.Options.Scale;
        return $"{IdList.Format(others, "answer")} are no number and count as {scale.Lowest} or {scale.Highest}, "
            + "whichever is farther from the gold.";
    }
}
