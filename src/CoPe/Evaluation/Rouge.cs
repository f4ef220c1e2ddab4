using System.Runtime.InteropServices;

namespace CoPe.Evaluation;

/// <summary>ROUGE-1, -2, -L and -Lsum of one prediction against one reference, as the <c>rouge_score</c> package defines them.</summary>
/// <remarks>
/// Lin, "ROUGE: A Package for Automatic Evaluation of Summaries", 2004. Texts are lower-cased and cut into runs of <c>[a-z0-9]</c>;
/// with the stemmer, tokens of more than three characters are stemmed. Texts without a token score 0.
/// </remarks>
public static class Rouge
{
    /// <summary>Overlap of n-grams, counted with multiplicity. <code>P = common / predicted, R = common / expected</code></summary>
    /// <param name="prediction">The text to judge.</param>
    /// <param name="reference">The text it should be.</param>
    /// <param name="n">Length of the n-grams, 1 or more.</param>
    /// <param name="useStemmer">Whether words are reduced to their Porter stems first.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="n"/> is below 1.</exception>
    public static RougeScore RougeN(string prediction, string reference, int n, bool useStemmer = false) =>
        RougeN(RougeTokens.Of(prediction, useStemmer), RougeTokens.Of(reference, useStemmer), n);

    /// <summary>Longest common subsequence of the whole texts. <code>P = LCS / predicted, R = LCS / expected</code></summary>
    /// <param name="prediction">The text to judge.</param>
    /// <param name="reference">The text it should be.</param>
    /// <param name="useStemmer">Whether words are reduced to their Porter stems first.</param>
    public static RougeScore RougeL(string prediction, string reference, bool useStemmer = false) =>
        RougeL(RougeTokens.Of(prediction, useStemmer), RougeTokens.Of(reference, useStemmer));

    /// <summary>ROUGE-L for texts of several lines: for each reference line, the union of its common subsequences with every predicted line.</summary>
    /// <remarks>A line is a sentence, as in the package's default; a token of either side counts at most as often as it occurs there.</remarks>
    /// <param name="prediction">The text to judge.</param>
    /// <param name="reference">The text it should be.</param>
    /// <param name="useStemmer">Whether words are reduced to their Porter stems first.</param>
    public static RougeScore RougeLsum(string prediction, string reference, bool useStemmer = false) =>
        RougeLsum(RougeTokens.OfLines(prediction, useStemmer), RougeTokens.OfLines(reference, useStemmer));

    internal static RougeScore RougeN(IReadOnlyList<string> prediction, IReadOnlyList<string> reference, int n)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(n, 1);
        int predicted = Math.Max(0, prediction.Count - n + 1), expected = Math.Max(0, reference.Count - n + 1);
        if (predicted == 0 || expected == 0) return default;
        var left = new Dictionary<NGram, int>(expected);
        for (var start = 0; start < expected; start++)
            CollectionsMarshal.GetValueRefOrAddDefault(left, new(reference, start, n), out _)++;
        var common = 0;
        for (var start = 0; start < predicted; start++)
        {
            ref var count = ref CollectionsMarshal.GetValueRefOrNullRef(left, new(prediction, start, n));
            if (System.Runtime.CompilerServices.Unsafe.IsNullRef(ref count) || count == 0) continue;
            count--;
            common++;
        }
        return RougeScore.Of(common, predicted, expected);
    }

    internal static RougeScore RougeL(string[] prediction, string[] reference) =>
        RougeScore.Of(CommonSubsequence.Length(prediction, reference), prediction.Length, reference.Length);

    internal static RougeScore RougeLsum(IReadOnlyList<string[]> prediction, IReadOnlyList<string[]> reference)
    {
        if (prediction.Count == 1 && reference.Count == 1) return RougeL(prediction[0], reference[0]);
        int predicted = prediction.Sum(line => line.Length), expected = reference.Sum(line => line.Length);
        if (predicted == 0 || expected == 0) return default;
        Dictionary<string, int> predictedLeft = Counts(prediction), expectedLeft = Counts(reference);
        var hits = 0;
        foreach (var line in reference)
        {
            var inUnion = new bool[line.Length];
            CommonSubsequence.Mark(line, prediction, inUnion);
            for (var i = 0; i < line.Length; i++)
                if (inUnion[i] && Take(predictedLeft, expectedLeft, line[i])) hits++;
        }
        return RougeScore.Of(hits, predicted, expected);
    }

    static bool Take(Dictionary<string, int> predictedLeft, Dictionary<string, int> expectedLeft, string token)
    {
        if (predictedLeft.GetValueOrDefault(token) == 0 || expectedLeft.GetValueOrDefault(token) == 0) return false;
        predictedLeft[token]--;
        expectedLeft[token]--;
        return true;
    }

    static Dictionary<string, int> Counts(IReadOnlyList<string[]> lines) =>
        lines.SelectMany(line => line).CountBy(token => token).ToDictionary(StringComparer.Ordinal);
}
