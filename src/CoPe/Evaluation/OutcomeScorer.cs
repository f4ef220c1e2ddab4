using CoPe.Data;

namespace CoPe.Evaluation;

/// <summary>The metrics of one kind of task: those of a single answer, and one that only many answers have.</summary>
abstract class OutcomeScorer
{
    /// <summary>The scorer of a task.</summary>
    public static OutcomeScorer Of(LampTask task, EvaluationOptions options) => task.Outcome switch
    {
        TaskOutcome.Category => new CategoryScorer(options.Categories, task.Labels),
        TaskOutcome.Rating => new RatingScorer(options.Scale),
        _ => new TextScorer(options.RougeStemmer),
    };

    /// <summary>Metric name to value of one answer; absent where it has none.</summary>
    public abstract IReadOnlyDictionary<string, double> Score(ScoredAnswer answer);

    /// <summary>The metric that answers have together, with its value; null where the kind has none.</summary>
    public virtual (Metric Metric, MeanWithError Value)? ScoreTogether(IReadOnlyList<ScoredAnswer> answers) => null;

    /// <summary>What cannot be read in the answers, for the report; null where all can.</summary>
    public virtual string? Complaint(IReadOnlyList<ScoredAnswer> answers) => null;

    /// <summary>Stops where a gold is not what the kind of task needs.</summary>
    public virtual void CheckGolds(IReadOnlyList<GoldAnswer> golds)
    {
    }
}
