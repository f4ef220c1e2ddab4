using CoPe.Evaluation.Language;

namespace CoPe.Evaluation;

/// <summary>METEOR of one prediction against one reference, as NLTK's <c>meteor_score</c> with <c>word_tokenize</c> gives it.</summary>
/// <remarks>
/// Lavie and Agarwal, "METEOR: An Automatic Metric for MT Evaluation with High Levels of Correlation with Human Judgments", 2007. Tokens in lower
/// case are matched one to one: equal ones first, then equal stems, then stems that share a WordNet synset.
/// <code>
/// P = m / predicted;  R = m / expected;  F = P R / (alpha P + (1 - alpha) R)
/// score = (1 - gamma (chunks / m)^beta) F, 0 where m = 0
/// </code>
/// A chunk is a run of matches that are neighbours on both sides.
/// </remarks>
public static class Meteor
{
    static readonly MeteorOptions Defaults = new();

    /// <summary>The score, 0 to 1.</summary>
    /// <param name="prediction">The text to judge.</param>
    /// <param name="reference">The text it should be.</param>
    /// <param name="options">The weights; null takes NLTK's.</param>
    public static double Score(string prediction, string reference, MeteorOptions? options = null) =>
        Score(WordTokenizer.Tokenize(prediction), WordTokenizer.Tokenize(reference), options);

    /// <summary>The score of texts that are cut into words already.</summary>
    /// <param name="prediction">Tokens to judge.</param>
    /// <param name="reference">The tokens they should be.</param>
    /// <param name="options">The weights; null takes NLTK's.</param>
    public static double Score(IReadOnlyList<string> prediction, IReadOnlyList<string> reference, MeteorOptions? options = null)
    {
        options ??= Defaults;
        var matches = MeteorAlignment.Matches(prediction, reference);
        if (matches.Count == 0) return 0;
        var precision = (double)matches.Count / prediction.Count;
        var recall = (double)matches.Count / reference.Count;
        var mean = precision * recall / (options.Alpha * precision + (1 - options.Alpha) * recall);
        var fragmentation = (double)MeteorAlignment.Chunks(matches) / matches.Count;
        return (1 - options.Gamma * Math.Pow(fragmentation, options.Beta)) * mean;
    }
}
