using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Evaluation;

/// <summary>A metric by the name that tables and files carry, and which way it gets better.</summary>
/// <param name="Name">Name in <c>results.json</c>, for example <c>rouge-l</c>.</param>
/// <param name="Direction">Which way it gets better.</param>
/// <param name="Description">One line for a reader of a report.</param>
public sealed record Metric(string Name, MetricDirection Direction, string Description)
{
    /// <summary>Heading in tables and plots, for example <c>ROUGE-L</c>.</summary>
    public string Title =>
        Name switch
        {
            "macro-f1" => "macro F1",
            "mae" or "rmse" or "meteor" => Name.ToUpperInvariant(),
            _ when Name.StartsWith("rouge-l", StringComparison.Ordinal) => "ROUGE-L" + Name[7..],
            _ when Name.StartsWith("rouge-", StringComparison.Ordinal) => Name.ToUpperInvariant(),
            "gold-nll" => "nats per token",
            _ => Name.Replace('-', ' '),
        };

    /// <summary>ROUGE-1, F-measure.</summary>
    public static Metric Rouge1 { get; } =
        new("rouge-1", MetricDirection.Higher, "Words shared with the user's text (F)");

    /// <summary>ROUGE-2, F-measure.</summary>
    public static Metric Rouge2 { get; } =
        new("rouge-2", MetricDirection.Higher, "Pairs of neighbouring words shared with the user's text (F)");

    /// <summary>ROUGE-L, F-measure.</summary>
    public static Metric RougeL { get; } =
        new("rouge-l", MetricDirection.Higher, "Longest sequence of words shared with the user's text (F)");

    /// <summary>ROUGE-Lsum, F-measure.</summary>
    public static Metric RougeLsum { get; } = new("rouge-lsum", MetricDirection.Higher, "The same, line by line (F)");

    /// <summary>METEOR.</summary>
    public static Metric Meteor { get; } =
        new(
            "meteor",
            MetricDirection.Higher,
            "Words, stems and synonyms shared with the user's text, less for scattered order"
        );

    /// <summary>Share of right labels.</summary>
    public static Metric Accuracy { get; } = new("accuracy", MetricDirection.Higher, "Share of right labels");

    /// <summary>Macro F1 over the labels; a value of all answers together, none of a single one.</summary>
    public static Metric MacroF1 { get; } =
        new("macro-f1", MetricDirection.Higher, "F1 of each label, averaged over the labels");

    /// <summary>Mean absolute error.</summary>
    public static Metric Mae { get; } = new("mae", MetricDirection.Lower, "Mean absolute error");

    /// <summary>Root mean squared error; a value of all answers together, none of a single one.</summary>
    public static Metric Rmse { get; } = new("rmse", MetricDirection.Lower, "Root of the mean squared error");

    /// <summary>Words of the prediction per word of the gold.</summary>
    public static Metric LengthRatio { get; } =
        new("length-ratio", MetricDirection.Neutral, "Words written per word of the user's text; 1 is his length");

    /// <summary>Different words per word.</summary>
    public static Metric Distinct1 { get; } = new("distinct-1", MetricDirection.Neutral, "Different words per word");

    /// <summary>Different word pairs per word pair.</summary>
    public static Metric Distinct2 { get; } =
        new("distinct-2", MetricDirection.Neutral, "Different pairs of neighbouring words per pair");

    /// <summary>Share of the prediction's four-word stretches that stand in the user's history.</summary>
    public static Metric CopyRate { get; } =
        new("copy-rate", MetricDirection.Neutral, "Share of four-word stretches copied from the user's history");

    /// <summary>Distance of the prediction's style from the user's own texts, 0 to 1.</summary>
    public static Metric StyleDistance { get; } =
        new("style-distance", MetricDirection.Lower, "Distance from the style of the user's own texts");

    /// <summary>Negative log-likelihood per token of the user's own answer under the method's model, in nats.</summary>
    public static Metric GoldNll { get; } =
        new("gold-nll", MetricDirection.Lower, "Negative log-likelihood per token of the user's own answer");

    /// <summary>How often the implicit reward ranks the user's own answer above sampled ones.</summary>
    public static Metric RewardRank { get; } =
        new(
            "reward-rank",
            MetricDirection.Higher,
            "Share of sampled answers that the implicit reward ranks below the user's own; .5 is chance"
        );

    /// <summary>Every metric, in the order of tables.</summary>
    public static IReadOnlyList<Metric> All { get; } =
    [
        Rouge1,
        Rouge2,
        RougeL,
        RougeLsum,
        Meteor,
        Accuracy,
        MacroF1,
        Mae,
        Rmse,
        LengthRatio,
        Distinct1,
        Distinct2,
        CopyRate,
        StyleDistance,
        GoldNll,
        RewardRank,
    ];

    /// <summary>The metrics of a task, in the order of tables.</summary>
    /// <param name="outcome">What the task asks for.</param>
    public static IReadOnlyList<Metric> ForOutcome(TaskOutcome outcome) =>
        outcome switch
        {
            TaskOutcome.Category => [Accuracy, MacroF1],
            TaskOutcome.Rating => [Mae, Rmse],
            _ =>
            [
                Rouge1,
                Rouge2,
                RougeL,
                RougeLsum,
                Meteor,
                LengthRatio,
                Distinct1,
                Distinct2,
                CopyRate,
                StyleDistance,
            ],
        };

    /// <summary>The few metrics of a narrow table.</summary>
    /// <param name="outcome">What the task asks for.</param>
    public static IReadOnlyList<Metric> NarrowFor(TaskOutcome outcome) =>
        outcome == TaskOutcome.Text ? [Rouge1, RougeL, Meteor] : ForOutcome(outcome);

    /// <summary>The metric that stands for a task where one must.</summary>
    /// <param name="outcome">What the task asks for.</param>
    public static Metric HeadlineFor(TaskOutcome outcome) =>
        outcome == TaskOutcome.Text ? RougeL : ForOutcome(outcome)[0];

    /// <summary>The metric of a name.</summary>
    /// <param name="name">Name, for example <c>rouge-l</c>.</param>
    /// <exception cref="ArgumentException">No metric has this name.</exception>
    public static Metric FromName(string name) =>
        All.FirstOrDefault(metric => metric.Name == name)
        ?? throw new ArgumentException(
            $"No metric is called '{name}'. There are: {string.Join(", ", All.Select(metric => metric.Name))}.",
            nameof(name)
        );
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
