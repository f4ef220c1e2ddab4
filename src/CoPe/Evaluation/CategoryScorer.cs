namespace CoPe.Evaluation;

/// <summary>Accuracy of each answer, macro F1 of all.</summary>
/// <param name="labels">The labels; null takes those of the task and whatever else the golds have.</param>
/// <param name="ofTask">The labels of the task; none where it names none.</param>
sealed class CategoryScorer(IReadOnlyList<string>? labels, IReadOnlyList<string> ofTask) : OutcomeScorer
{
    public override IReadOnlyDictionary<string, double> Score(ScoredAnswer answer) => new Dictionary<string, double>
    {
        [Metric.Accuracy.Name] = ClassificationMetrics.IsRight(answer.Output, answer.Gold.Text) ? 1 : 0,
    };

    public override (Metric, MeanWithError)? ScoreTogether(IReadOnlyList<ScoredAnswer> answers) => (Metric.MacroF1,
        ClassificationMetrics.MacroF1WithError([.. answers.Select(answer => answer.Output)], [.. answers.Select(answer => answer.Gold.Text)], LabelsOf(answers)));

    public override string? Complaint(IReadOnlyList<ScoredAnswer> answers)
    {
        var known = LabelsOf(answers).Select(label => label.Trim()).ToHashSet(StringComparer.Ordinal);
        var others = answers.Where(answer => !known.Contains(answer.Output.Trim())).Select(answer => answer.Gold.Id).ToList();
        return others.Count == 0 ? null : $"{IdList.Of(others, "answer")} are none of the {known.Count} labels and count as wrong.";
    }

    IReadOnlyList<string> LabelsOf(IReadOnlyList<ScoredAnswer> answers) => labels ?? [.. ofTask, .. answers.Select(answer => answer.Gold.Text)];
}
