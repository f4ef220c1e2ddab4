using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Evaluation;

/// <summary>A metric: its name in files and tables, which way it gets better, and how it is computed.</summary>
/// <remarks>
/// To add a metric, declare it here, at its place in the order of tables. Scoring, result files, paired tests, tables,
/// sweeps and the report take it up from <see cref="All"/>.
/// </remarks>
public sealed record Metric
{
    // Stands before the metrics, which are registered as they are initialized, in the order of the text.
    static readonly List<Metric> Registered = [];

    /// <summary>ROUGE-1, F-measure.</summary>
    public static Metric Rouge1 { get; } =
        Register(
            new()
            {
                Name = "rouge-1",
                Title = "ROUGE-1",
                Description = "Words shared with the user's text (F)",
                Direction = MetricDirection.Higher,
                Outcome = TaskOutcome.Text,
                IsInNarrowTables = true,
                ReportPosition = 2,
                ScoreAnswer = answer => Rouge.RougeN(answer.RougePrediction, answer.RougeReference, 1).FMeasure,
            }
        );

    /// <summary>ROUGE-2, F-measure.</summary>
    public static Metric Rouge2 { get; } =
        Register(
            new()
            {
                Name = "rouge-2",
                Title = "ROUGE-2",
                Description = "Pairs of neighboring words shared with the user's text (F)",
                Direction = MetricDirection.Higher,
                Outcome = TaskOutcome.Text,
                ScoreAnswer = answer => Rouge.RougeN(answer.RougePrediction, answer.RougeReference, 2).FMeasure,
            }
        );

    /// <summary>ROUGE-L, F-measure.</summary>
    public static Metric RougeL { get; } =
        Register(
            new()
            {
                Name = "rouge-l",
                Title = "ROUGE-L",
                Description = "Longest sequence of words shared with the user's text (F)",
                Direction = MetricDirection.Higher,
                Outcome = TaskOutcome.Text,
                IsInNarrowTables = true,
                ReportPosition = 1,
                ScoreAnswer = answer => answer.RougeL.FMeasure,
            }
        );

    /// <summary>ROUGE-Lsum, F-measure.</summary>
    public static Metric RougeLsum { get; } =
        Register(
            new()
            {
                Name = "rouge-lsum",
                Title = "ROUGE-Lsum",
                Description = "The same, line by line (F)",
                Direction = MetricDirection.Higher,
                Outcome = TaskOutcome.Text,
                ScoreAnswer = answer => answer.RougeLsum.FMeasure,
            }
        );

    /// <summary>METEOR.</summary>
    public static Metric Meteor { get; } =
        Register(
            new()
            {
                Name = "meteor",
                Title = "METEOR",
                Description = "Words, stems and synonyms shared with the user's text, less for scattered order",
                Direction = MetricDirection.Higher,
                Outcome = TaskOutcome.Text,
                IsInNarrowTables = true,
                ReportPosition = 3,
                ScoreAnswer = answer => Evaluation.Meteor.Score(answer.Prediction, answer.Reference),
            }
        );

    /// <summary>Share of right labels.</summary>
    public static Metric Accuracy { get; } =
        Register(
            new()
            {
                Name = "accuracy",
                Title = "accuracy",
                Description = "Share of right labels",
                Direction = MetricDirection.Higher,
                Outcome = TaskOutcome.Category,
                IsInNarrowTables = true,
                ReportPosition = 4,
                ScoreAnswer = answer => ClassificationMetrics.IsCorrect(answer.Prediction, answer.Reference) ? 1 : 0,
            }
        );

    /// <summary>Macro F1 over the labels; a value of all answers together, none of a single one.</summary>
    public static Metric MacroF1 { get; } =
        Register(
            new()
            {
                Name = "macro-f1",
                Title = "macro F1",
                Description = "F1 of each label, averaged over the labels",
                Direction = MetricDirection.Higher,
                Outcome = TaskOutcome.Category,
                IsInNarrowTables = true,
                ReportPosition = 5,
                ScoreCorpus = corpus =>
                    ClassificationMetrics.MacroF1WithError(corpus.Predictions, corpus.References, corpus.Labels),
            }
        );

    /// <summary>Mean absolute error.</summary>
    public static Metric Mae { get; } =
        Register(
            new()
            {
                Name = "mae",
                Title = "MAE",
                Description = "Mean absolute error",
                Direction = MetricDirection.Lower,
                Outcome = TaskOutcome.Rating,
                IsInNarrowTables = true,
                ReportPosition = 6,
                ScoreAnswer = answer => Math.Abs(answer.PredictedRating - answer.ReferenceRating),
            }
        );

    /// <summary>Root mean squared error; a value of all answers together, none of a single one.</summary>
    public static Metric Rmse { get; } =
        Register(
            new()
            {
                Name = "rmse",
                Title = "RMSE",
                Description = "Root of the mean squared error",
                Direction = MetricDirection.Lower,
                Outcome = TaskOutcome.Rating,
                IsInNarrowTables = true,
                ReportPosition = 7,
                ScoreCorpus = corpus => RatingMetrics.RmseWithError(corpus.PredictedRatings, corpus.ReferenceRatings),
            }
        );

    /// <summary>Words of the prediction per word of the gold.</summary>
    public static Metric LengthRatio { get; } =
        Register(
            new()
            {
                Name = "length-ratio",
                Title = "length ratio",
                Description = "Words written per word of the user's text; 1 is the user's length",
                Direction = MetricDirection.Neutral,
                Outcome = TaskOutcome.Text,
                ReportPosition = 11,
                ScoreAnswer = answer => TextMetrics.LengthRatio(answer.PredictionWords, answer.ReferenceWords),
            }
        );

    /// <summary>Different words per word.</summary>
    public static Metric Distinct1 { get; } =
        Register(
            new()
            {
                Name = "distinct-1",
                Title = "distinct 1",
                Description = "Different words per word",
                Direction = MetricDirection.Neutral,
                Outcome = TaskOutcome.Text,
                ScoreAnswer = answer => TextMetrics.Distinct(answer.PredictionWords, 1),
            }
        );

    /// <summary>Different word pairs per word pair.</summary>
    public static Metric Distinct2 { get; } =
        Register(
            new()
            {
                Name = "distinct-2",
                Title = "distinct 2",
                Description = "Different pairs of neighboring words per pair",
                Direction = MetricDirection.Neutral,
                Outcome = TaskOutcome.Text,
                ScoreAnswer = answer => TextMetrics.Distinct(answer.PredictionWords, 2),
            }
        );

    /// <summary>Share of the prediction's four-word n-grams that are in the user's history.</summary>
    public static Metric CopyRate { get; } =
        Register(
            new()
            {
                Name = "copy-rate",
                Title = "copy rate",
                Description = "Share of four-word n-grams copied from the user's history",
                Direction = MetricDirection.Neutral,
                Outcome = TaskOutcome.Text,
                ReportPosition = 12,
                ScoreAnswer = answer =>
                    answer.History is { } history
                        ? TextMetrics.CopyRate(answer.PredictionWords, history.FourGrams)
                        : null,
            }
        );

    /// <summary>Distance of the prediction's style from the user's own texts, 0 to 1.</summary>
    public static Metric StyleDistance { get; } =
        Register(
            new()
            {
                Name = "style-distance",
                Title = "style distance",
                Description = "Distance from the style of the user's own texts",
                Direction = MetricDirection.Lower,
                Outcome = TaskOutcome.Text,
                ReportPosition = 10,
                ScoreAnswer = answer => answer.History?.Style.DistanceTo(answer.PredictionStyle).Total,
            }
        );

    /// <summary>Negative log-likelihood per token of the user's own answer under the method's model, in nats.</summary>
    public static Metric GoldNll { get; } =
        Register(
            new()
            {
                Name = "gold-nll",
                Title = "nats per token",
                Description = "Negative log-likelihood per token of the user's own answer",
                Direction = MetricDirection.Lower,
                NeedsModel = true,
                ReportPosition = 8,
            }
        );

    /// <summary>How often the implicit reward ranks the user's own answer above sampled ones.</summary>
    public static Metric RewardRank { get; } =
        Register(
            new()
            {
                Name = "reward-rank",
                Title = "reward rank",
                Description =
                    "Share of sampled answers that the implicit reward ranks below the user's own; .5 is chance",
                Direction = MetricDirection.Higher,
                NeedsModel = true,
                ReportPosition = 9,
            }
        );

    /// <summary>Every metric, in the order of tables.</summary>
    public static IReadOnlyList<Metric> All => Registered;

    /// <summary>Name in files and on the command line, for example <c>rouge-l</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Heading in tables and plots, for example <c>ROUGE-L</c>.</summary>
    public required string Title { get; init; }

    /// <summary>What it measures, one line for the reader of a report.</summary>
    public required string Description { get; init; }

    /// <summary>Which way it gets better.</summary>
    public required MetricDirection Direction { get; init; }

    /// <summary>The kind of task it is computed for; null where a model is needed, whatever the task.</summary>
    internal TaskOutcome? Outcome { get; private init; }

    /// <summary>Whether it is measured under the methods' models, not computed from the texts of answers.</summary>
    internal bool NeedsModel { get; private init; }

    /// <summary>Whether tables that have room for few columns show it.</summary>
    internal bool IsInNarrowTables { get; private init; }

    /// <summary>
    /// Its place among the columns of the report, the lowest first, which is the headline; null where the report leaves
    /// it out.
    /// </summary>
    internal int? ReportPosition { get; private init; }

    /// <summary>The value of one answer, null where it has none; null for a metric of all answers together.</summary>
    internal Func<AnswerFeatures, double?>? ScoreAnswer { get; private init; }

    /// <summary>The value of all answers together, for a metric that a single answer does not have.</summary>
    internal Func<AnswerCorpus, MeanWithError>? ScoreCorpus { get; private init; }

    /// <summary>Whether the mean may be reported as the median of bootstrap means.</summary>
    internal bool IsRouge => Name.StartsWith("rouge-", StringComparison.Ordinal);

    /// <summary>Whether one of two values can be called better: false for a metric that only describes texts.</summary>
    internal bool IsDirected => Direction != MetricDirection.Neutral;

    /// <summary>The metrics of a task that are computed from the texts of answers, in the order of tables.</summary>
    /// <param name="outcome">What the task asks for.</param>
    public static IReadOnlyList<Metric> ForOutcome(TaskOutcome outcome) =>
        [.. All.Where(metric => metric.Outcome == outcome)];

    /// <summary>The few metrics of a narrow table.</summary>
    /// <param name="outcome">What the task asks for.</param>
    public static IReadOnlyList<Metric> NarrowFor(TaskOutcome outcome) =>
        [.. ForOutcome(outcome).Where(metric => metric.IsInNarrowTables)];

    /// <summary>The metric that represents a task where one must.</summary>
    /// <param name="outcome">What the task asks for.</param>
    public static Metric HeadlineFor(TaskOutcome outcome) =>
        ForOutcome(outcome).OrderBy(metric => metric.ReportPosition ?? int.MaxValue).First();

    /// <summary>The metric of a name.</summary>
    /// <param name="name">Name, for example <c>rouge-l</c>.</param>
    /// <exception cref="ArgumentException">No metric has this name.</exception>
    public static Metric FromName(string name) =>
        All.FirstOrDefault(metric => metric.Name == name)
        ?? throw new ArgumentException(
            $"No metric is called '{name}'. There are: {string.Join(", ", All.Select(metric => metric.Name))}.",
            nameof(name)
        );

    static Metric Register(Metric metric)
    {
        Registered.Add(metric);
        return metric;
    }
}

/// <summary>Which way a metric gets better.</summary>
public enum MetricDirection
{
    /// <summary>More is better.</summary>
    Higher,

    /// <summary>Less is better.</summary>
    Lower,

    /// <summary>Neither: it describes the text.</summary>
    Neutral,
}
