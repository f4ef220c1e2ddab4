using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Evaluation;

/// <summary>The metrics of one kind of task: those of a single answer, and one that only many answers have.</summary>
abstract class OutcomeScorer
{
    /// <summary>The scorer of a task.</summary>
    public static OutcomeScorer Create(LampTask task, EvaluationOptions options) =>
        task.Outcome switch
        {
            TaskOutcome.Category => new CategoryScorer(options.Categories, task.Labels),
            TaskOutcome.Rating => new RatingScorer(options.Scale),
            _ => new TextScorer(options.RougeStemmer),
        };

    /// <summary>Metric name to value of one answer; absent where it has none.</summary>
    public abstract IReadOnlyDictionary<string, double> Score(ScoredAnswer answer);

    /// <summary>The metric that answers have together, with its value; null where the kind has none.</summary>
    public virtual (Metric Metric, MeanWithError Value)? ScoreCorpus(IReadOnlyList<ScoredAnswer> answers) => null;

    /// <summary>What cannot be read in the answers, for the report; null where all can.</summary>
    public virtual string? DescribeUnreadable(IReadOnlyList<ScoredAnswer> answers) => null;

    /// <summary>Stops where a gold is not what the kind of task needs.</summary>
    public virtual void ValidateGolds(IReadOnlyList<GoldAnswer> golds) { }
}

/// <summary>ROUGE, METEOR and what the text is like.</summary>
sealed class TextScorer(bool useStemmer) : OutcomeScorer
{
    public override IReadOnlyDictionary<string, double> Score(ScoredAnswer answer)
    {
        string prediction = answer.Output,
            gold = answer.Gold.Text;
        var values = new Dictionary<string, double>();
        string[] predicted = RougeTokenizer.Tokenize(prediction, useStemmer),
            expected = RougeTokenizer.Tokenize(gold, useStemmer);
        values[Metric.Rouge1.Name] = Rouge.RougeN(predicted, expected, 1).FMeasure;
        values[Metric.Rouge2.Name] = Rouge.RougeN(predicted, expected, 2).FMeasure;
        var rougeL = Rouge.RougeL(predicted, expected).FMeasure;
        values[Metric.RougeL.Name] = rougeL;
        values[Metric.RougeLsum.Name] =
            prediction.Contains('\n', StringComparison.Ordinal) || gold.Contains('\n', StringComparison.Ordinal)
                ? Rouge.RougeLsum(prediction, gold, useStemmer).FMeasure
                : rougeL;
        values[Metric.Meteor.Name] = Meteor.Score(prediction, gold);
        Describe(answer, values);
        return values;
    }

    static void Describe(ScoredAnswer answer, Dictionary<string, double> values)
    {
        var words = TextWords.Split(answer.Output);
        Put(values, Metric.LengthRatio, TextMetrics.LengthRatio(words, TextWords.Split(answer.Gold.Text)));
        Put(values, Metric.Distinct1, TextMetrics.Distinct(words, 1));
        Put(values, Metric.Distinct2, TextMetrics.Distinct(words, 2));
        if (answer.History is not { Value: var own })
        {
            return;
        }

        values[Metric.CopyRate.Name] = TextMetrics.CopyRate(words, own.FourGrams);
        values[Metric.StyleDistance.Name] = own.Style.DistanceTo(StyleProfile.Compute([answer.Output])).Total;
    }

    static void Put(Dictionary<string, double> values, Metric metric, double? value)
    {
        if (value is { } known)
        {
            values[metric.Name] = known;
        }
    }
}

/// <summary>Accuracy of each answer, macro F1 of all.</summary>
/// <param name="labels">The labels; null takes those of the task and whatever else the golds have.</param>
/// <param name="ofTask">The labels of the task; none where it names none.</param>
sealed class CategoryScorer(IReadOnlyList<string>? labels, IReadOnlyList<string> ofTask) : OutcomeScorer
{
    public override IReadOnlyDictionary<string, double> Score(ScoredAnswer answer) =>
        new Dictionary<string, double>
        {
            [Metric.Accuracy.Name] = ClassificationMetrics.IsCorrect(answer.Output, answer.Gold.Text) ? 1 : 0,
        };

    public override (Metric, MeanWithError)? ScoreCorpus(IReadOnlyList<ScoredAnswer> answers) =>
        (
            Metric.MacroF1,
            ClassificationMetrics.MacroF1WithError(
                [.. answers.Select(answer => answer.Output)],
                [.. answers.Select(answer => answer.Gold.Text)],
                LabelsOf(answers)
            )
        );

    public override string? DescribeUnreadable(IReadOnlyList<ScoredAnswer> answers)
    {
        var known = LabelsOf(answers).Select(label => label.Trim()).ToHashSet(StringComparer.Ordinal);
        var others = answers
            .Where(answer => !known.Contains(answer.Output.Trim()))
            .Select(answer => answer.Gold.Id)
            .ToList();
        return others.Count == 0
            ? null
            : $"{IdList.Format(others, "answer")} are none of the {known.Count} labels and count as wrong.";
    }

    IReadOnlyList<string> LabelsOf(IReadOnlyList<ScoredAnswer> answers) =>
        labels ?? [.. ofTask, .. answers.Select(answer => answer.Gold.Text)];
}

/// <summary>
/// Absolute error of each answer, root mean squared error of all. An answer that is no number counts as the end of the
/// scale farther from the gold, as in LaMP.
/// </summary>
sealed class RatingScorer(RatingScale scale) : OutcomeScorer
{
    public override IReadOnlyDictionary<string, double> Score(ScoredAnswer answer) =>
        new Dictionary<string, double> { [Metric.Mae.Name] = Math.Abs(Rating(answer) - Gold(answer)) };

    public override (Metric, MeanWithError)? ScoreCorpus(IReadOnlyList<ScoredAnswer> answers) =>
        (Metric.Rmse, RatingMetrics.RmseWithError([.. answers.Select(Rating)], [.. answers.Select(Gold)]));

    public override string? DescribeUnreadable(IReadOnlyList<ScoredAnswer> answers)
    {
        var others = answers
            .Where(answer => RatingMetrics.Parse(answer.Output) is null)
            .Select(answer => answer.Gold.Id)
            .ToList();
        return others.Count == 0
            ? null
            : $"{IdList.Format(others, "answer")} are no number and count as {scale.Lowest} or {scale.Highest}, whichever is farther from the gold.";
    }

    public override void ValidateGolds(IReadOnlyList<GoldAnswer> golds)
    {
        var others = golds.Where(gold => RatingMetrics.Parse(gold.Text) is null).Select(gold => gold.Id).ToList();
        if (others.Count > 0)
        {
            throw new InvalidDataException(
                $"The golds of {IdList.Format(others, "id")} are no numbers, which a rating task needs. Correct the label file."
            );
        }
    }

    double Rating(ScoredAnswer answer) => RatingMetrics.Parse(answer.Output) ?? scale.FarEnd(Gold(answer));

    static double Gold(ScoredAnswer answer) => RatingMetrics.Parse(answer.Gold.Text)!.Value;
}
