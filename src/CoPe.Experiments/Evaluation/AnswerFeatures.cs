using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Evaluation;

/// <summary>A prediction beside its gold.</summary>
/// <param name="Gold">The user's own answer, which the prediction is scored against.</param>
/// <param name="Prediction">What the method wrote.</param>
sealed record ScoredAnswer(GoldAnswer Gold, string Prediction);

/// <summary>What is computed once from a user's history, for all predictions for this user.</summary>
sealed class HistoryStatistics(IReadOnlyList<string> history, WordTokenizerKind tokenizer)
{
    /// <summary>The style of the texts.</summary>
    public StyleProfile Style { get; } = StyleProfile.Compute(history, tokenizer);

    /// <summary>The four-word n-grams of the texts, hashed.</summary>
    public HashSet<ulong> FourGrams { get; } = TextMetrics.FourGrams(history, tokenizer);
}

/// <summary>
/// One prediction and its gold, as the metrics read them. What several metrics need is computed once.
/// </summary>
sealed class AnswerFeatures(ScoredAnswer answer, EvaluationOptions options, Lazy<HistoryStatistics>? history = null)
{
    RougeScore? _rougeL;

    public string Prediction => answer.Prediction;

    public string Reference => answer.Gold.Text;

    /// <summary>Null where the user has no history, or the user is not known.</summary>
    public HistoryStatistics? History => history?.Value;

    public string[] RougePrediction =>
        field ??= RougeTokenizer.Tokenize(Prediction, options.RougeStemmer, options.Tokenizer);

    public string[] RougeReference =>
        field ??= RougeTokenizer.Tokenize(Reference, options.RougeStemmer, options.Tokenizer);

    public RougeScore RougeL => _rougeL ??= Rouge.RougeL(RougePrediction, RougeReference);

    /// <summary>For texts of one line the same as <see cref="RougeL"/>.</summary>
    public RougeScore RougeLsum =>
        Prediction.Contains('\n', StringComparison.Ordinal) || Reference.Contains('\n', StringComparison.Ordinal)
            ? Rouge.RougeLsum(Prediction, Reference, options)
            : RougeL;

    public string[] PredictionWords => field ??= TextWords.Split(Prediction, options.Tokenizer);

    public string[] ReferenceWords => field ??= TextWords.Split(Reference, options.Tokenizer);

    public StyleProfile PredictionStyle => StyleProfile.Compute([Prediction], options.Tokenizer);

    /// <summary>The rating that the prediction states, or the end of the scale farther from the gold.</summary>
    public double PredictedRating => RatingMetrics.ParseOrFarEnd(Prediction, ReferenceRating, options.Scale);

    public double ReferenceRating => RatingMetrics.Parse(Reference)!.Value;
}

/// <summary>Answers of one method that are scored together: all of them, or those of one user.</summary>
sealed record AnswerCorpus(LampTask Task, EvaluationOptions Options, IReadOnlyList<ScoredAnswer> Answers)
{
    public IReadOnlyList<string> Predictions => [.. Answers.Select(answer => answer.Prediction)];

    public IReadOnlyList<string> References => [.. Answers.Select(answer => answer.Gold.Text)];

    public IReadOnlyList<double> PredictedRatings => [.. Features.Select(answer => answer.PredictedRating)];

    public IReadOnlyList<double> ReferenceRatings => [.. Features.Select(answer => answer.ReferenceRating)];

    /// <summary>The labels of a category task: those of the options, else those of the task and of the golds.</summary>
    public IReadOnlyList<string> Labels => Options.Categories ?? [.. Task.Labels, .. References];

    IEnumerable<AnswerFeatures> Features => Answers.Select(answer => new AnswerFeatures(answer, Options));
}
