namespace CoPe.Evaluation;

/// <summary>Absolute error of each answer, root mean squared error of all. An answer that is no number counts as the end of the scale farther from the gold, as in LaMP.</summary>
sealed class RatingScorer(RatingScale scale) : OutcomeScorer
{
    public override IReadOnlyDictionary<string, double> Score(ScoredAnswer answer) =>
        new Dictionary<string, double> { [Metric.Mae.Name] = Math.Abs(Rating(answer) - Gold(answer)) };

    public override (Metric, MeanWithError)? ScoreTogether(IReadOnlyList<ScoredAnswer> answers) =>
        (Metric.Rmse, RatingMetrics.RmseWithError([.. answers.Select(Rating)], [.. answers.Select(Gold)]));

    public override string? Complaint(IReadOnlyList<ScoredAnswer> answers)
    {
        var others = answers.Where(answer => RatingMetrics.Parse(answer.Output) is null).Select(answer => answer.Gold.Id).ToList();
        return others.Count == 0 ? null
            : $"{IdList.Of(others, "answer")} are no number and count as {scale.Lowest} or {scale.Highest}, whichever is farther from the gold.";
    }

    public override void CheckGolds(IReadOnlyList<GoldAnswer> golds)
    {
        var others = golds.Where(gold => RatingMetrics.Parse(gold.Text) is null).Select(gold => gold.Id).ToList();
        if (others.Count > 0) throw new InvalidDataException($"The golds of {IdList.Of(others, "id")} are no numbers, which a rating task needs. Correct the label file.");
    }

    double Rating(ScoredAnswer answer) => RatingMetrics.Parse(answer.Output) ?? scale.FarEnd(Gold(answer));

    static double Gold(ScoredAnswer answer) => RatingMetrics.Parse(answer.Gold.Text)!.Value;
}
