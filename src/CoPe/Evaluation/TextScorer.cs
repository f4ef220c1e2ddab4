namespace CoPe.Evaluation;

/// <summary>ROUGE, METEOR and what the text is like.</summary>
sealed class TextScorer(bool useStemmer) : OutcomeScorer
{
    public override IReadOnlyDictionary<string, double> Score(ScoredAnswer answer)
    {
        string prediction = answer.Output, gold = answer.Gold.Text;
        var values = new Dictionary<string, double>();
        string[] predicted = RougeTokens.Of(prediction, useStemmer), expected = RougeTokens.Of(gold, useStemmer);
        values[Metric.Rouge1.Name] = Rouge.RougeN(predicted, expected, 1).FMeasure;
        values[Metric.Rouge2.Name] = Rouge.RougeN(predicted, expected, 2).FMeasure;
        var rougeL = Rouge.RougeL(predicted, expected).FMeasure;
        values[Metric.RougeL.Name] = rougeL;
        values[Metric.RougeLsum.Name] = prediction.Contains('\n', StringComparison.Ordinal) || gold.Contains('\n', StringComparison.Ordinal)
            ? Rouge.RougeLsum(prediction, gold, useStemmer).FMeasure : rougeL;
        values[Metric.Meteor.Name] = Meteor.Score(prediction, gold);
        Describe(answer, values);
        return values;
    }

    static void Describe(ScoredAnswer answer, Dictionary<string, double> values)
    {
        var words = TextWords.Of(answer.Output);
        Put(values, Metric.LengthRatio, TextMetrics.LengthRatio(words, TextWords.Of(answer.Gold.Text)));
        Put(values, Metric.Distinct1, TextMetrics.Distinct(words, 1));
        Put(values, Metric.Distinct2, TextMetrics.Distinct(words, 2));
        if (answer.Own is not { Value: var own }) return;
        values[Metric.CopyRate.Name] = TextMetrics.CopyRate(words, own.Stretches);
        values[Metric.StyleDistance.Name] = own.Style.DistanceTo(StyleProfile.Of([answer.Output])).Total;
    }

    static void Put(Dictionary<string, double> values, Metric metric, double? value)
    {
        if (value is { } known) values[metric.Name] = known;
    }
}
