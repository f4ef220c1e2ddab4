namespace CoPe.Evaluation;

/// <summary>Accuracy of each answer, macro F1 of all.</summary>
sealed class CategoryScorer(IReadOnlyList<string>? labels) : OutcomeScorer
{
    public override IReadOnlyDictionary<string, double> Score(ScoredAnswer answer) => new Dictionary<string, double>
    {
        [Metric.Accuracy.Name] = ClassificationMetrics.IsRight(answer.Output, answer.Gold.Text) ? 1 : 0,
    };

    public override (Metric, MeanWithError)? ScoreTogether(IReadOnlyList<ScoredAnswer> answers) => (Metric.MacroF1,
        ClassificationMetrics.MacroF1WithError([.. answers.Select(answer => answer.Output)], [.. answers.Select(answer => answer.Gold.Text)], labels));

    public override string? Complaint(IReadOnlyList<ScoredAnswer> answers)
    {
        var known = (labels ?? [.. answers.Select(answer => answer.Gold.Text)]).Select(label => label.Trim()).ToHashSet(StringComparer.Ordinal);
        var others = answers.Where(answer => !known.Contains(answer.Output.Trim())).Select(answer => answer.Gold.Id).ToList();
        return others.Count == 0 ? null : $"{IdList.Of(others, "answer")} are none of the {known.Count} labels and count as wrong.";
    }
}
