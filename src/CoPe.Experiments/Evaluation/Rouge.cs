using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using CoPe.Experiments.Evaluation.Language;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Evaluation;

/// <summary>
/// ROUGE-1, -2, -L and -Lsum of one prediction against one reference, as the <c>rouge_score</c> package defines them.
/// </summary>
/// <remarks>
/// Lin, "ROUGE: A Package for Automatic Evaluation of Summaries", 2004. Texts are lower-cased and split into runs of
/// <c>[a-z0-9]</c>; with the stemmer, tokens of more than three characters are stemmed. Texts without a token score 0.
/// </remarks>
public static class Rouge
{
    /// <summary>
    /// Overlap of n-grams, counted with multiplicity. <code>P = common / predicted, R = common / expected</code>
    /// </summary>
    /// <param name="prediction">The text to score.</param>
    /// <param name="reference">The text it should be.</param>
    /// <param name="n">Length of the n-grams, 1 or more.</param>
    /// <param name="useStemmer">Whether words are reduced to their Porter stems first.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="n"/> is below 1.</exception>
    public static RougeScore RougeN(string prediction, string reference, int n, bool useStemmer = false) =>
        RougeN(RougeTokenizer.Tokenize(prediction, useStemmer), RougeTokenizer.Tokenize(reference, useStemmer), n);

    /// <summary>
    /// Longest common subsequence of the whole texts. <code>P = LCS / predicted, R = LCS / expected</code>
    /// </summary>
    /// <param name="prediction">The text to score.</param>
    /// <param name="reference">The text it should be.</param>
    /// <param name="useStemmer">Whether words are reduced to their Porter stems first.</param>
    public static RougeScore RougeL(string prediction, string reference, bool useStemmer = false) =>
        RougeL(RougeTokenizer.Tokenize(prediction, useStemmer), RougeTokenizer.Tokenize(reference, useStemmer));

    /// <summary>
    /// ROUGE-L for texts of several lines: for each reference line, the union of its common subsequences with every
    /// predicted line.
    /// </summary>
    /// <remarks>
    /// A line is a sentence, as in the package's default; a token of either side counts at most as often as it occurs
    /// there.
    /// </remarks>
    /// <param name="prediction">The text to score.</param>
    /// <param name="reference">The text it should be.</param>
    /// <param name="useStemmer">Whether words are reduced to their Porter stems first.</param>
    public static RougeScore RougeLsum(string prediction, string reference, bool useStemmer = false) =>
        RougeLsum(
            RougeTokenizer.TokenizeLines(prediction, useStemmer),
            RougeTokenizer.TokenizeLines(reference, useStemmer)
        );

    internal static RougeScore RougeLsum(string prediction, string reference, EvaluationOptions options) =>
        RougeLsum(
            RougeTokenizer.TokenizeLines(prediction, options.RougeStemmer, options.Tokenizer),
            RougeTokenizer.TokenizeLines(reference, options.RougeStemmer, options.Tokenizer)
        );

    internal static RougeScore RougeN(IReadOnlyList<string> prediction, IReadOnlyList<string> reference, int n)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(n, 1);
        var predicted = Math.Max(0, prediction.Count - n + 1);
        var expected = Math.Max(0, reference.Count - n + 1);
        if (predicted == 0 || expected == 0)
        {
            return default;
        }

        var remaining = new Dictionary<NGram, int>(expected);
        for (var start = 0; start < expected; start++)
        {
            CollectionsMarshal.GetValueRefOrAddDefault(remaining, new(reference, start, n), out _)++;
        }

        var common = 0;
        for (var start = 0; start < predicted; start++)
        {
            ref var count = ref CollectionsMarshal.GetValueRefOrNullRef(remaining, new(prediction, start, n));
            if (Unsafe.IsNullRef(ref count) || count == 0)
            {
                continue;
            }

            count--;
            common++;
        }

        return RougeScore.FromCounts(common, predicted, expected);
    }

    internal static RougeScore RougeL(string[] prediction, string[] reference) =>
        RougeScore.FromCounts(
            LongestCommonSubsequence.Length(prediction, reference),
            prediction.Length,
            reference.Length
        );

    internal static RougeScore RougeLsum(IReadOnlyList<string[]> prediction, IReadOnlyList<string[]> reference)
    {
        if (prediction.Count == 1 && reference.Count == 1)
        {
            return RougeL(prediction[0], reference[0]);
        }

        var predicted = prediction.Sum(line => line.Length);
        var expected = reference.Sum(line => line.Length);
        if (predicted == 0 || expected == 0)
        {
            return default;
        }

        var predictedLeft = CountTokens(prediction);
        var expectedLeft = CountTokens(reference);
        var hits = 0;
        foreach (var line in reference)
        {
            var inUnion = new bool[line.Length];
            LongestCommonSubsequence.MarkUnion(line, prediction, inUnion);
            for (var i = 0; i < line.Length; i++)
            {
                if (inUnion[i] && Take(predictedLeft, expectedLeft, line[i]))
                {
                    hits++;
                }
            }
        }

        return RougeScore.FromCounts(hits, predicted, expected);
    }

    static bool Take(Dictionary<string, int> predictedLeft, Dictionary<string, int> expectedLeft, string token)
    {
        if (predictedLeft.GetValueOrDefault(token) == 0 || expectedLeft.GetValueOrDefault(token) == 0)
        {
            return false;
        }

        predictedLeft[token]--;
        expectedLeft[token]--;
        return true;
    }

    static Dictionary<string, int> CountTokens(IReadOnlyList<string[]> lines) =>
        lines.SelectMany(line => line).CountBy(token => token).ToDictionary(StringComparer.Ordinal);
}

/// <summary>Precision, recall and their harmonic mean of one ROUGE variant for one pair of texts.</summary>
/// <param name="Precision">Share of the prediction's units that the reference has.</param>
/// <param name="Recall">Share of the reference's units that the prediction has.</param>
public readonly record struct RougeScore(double Precision, double Recall)
{
    /// <summary>The number that tables report. <code>F = 2 P R / (P + R), 0 where P + R = 0</code></summary>
    public double FMeasure => Precision + Recall > 0 ? 2 * Precision * Recall / (Precision + Recall) : 0;

    /// <summary>The score of a count of common units; 0 where a side has none.</summary>
    internal static RougeScore FromCounts(int common, int predicted, int expected) =>
        predicted == 0 || expected == 0 ? default : new((double)common / predicted, (double)common / expected);
}

/// <summary>
/// The tokens ROUGE compares: runs of the letters a to z and the digits 0 to 9, in lower case, or the words of any
/// script.
/// </summary>
static class RougeTokenizer
{
    const char Kelvin = '\u212A';
    const char CapitalIWithDot = '\u0130';

    /// <summary>Tokens of a whole text.</summary>
    public static string[] Tokenize(
        string text,
        bool useStemmer = false,
        WordTokenizerKind kind = WordTokenizerKind.RougeScore
    ) =>
        kind == WordTokenizerKind.RougeScore
            ? [.. Split(text, useStemmer)]
            : [.. UnicodeWords.Split(text).Select(word => Stem(word, useStemmer && Ascii.IsValid(word)))];

    /// <summary>Tokens of each line that is not empty; a line of punctuation alone gives an empty array.</summary>
    public static string[][] TokenizeLines(
        string text,
        bool useStemmer = false,
        WordTokenizerKind kind = WordTokenizerKind.RougeScore
    ) => [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => Tokenize(line, useStemmer, kind))];

    static IEnumerable<string> Split(string text, bool useStemmer)
    {
        var lower = new char[text.Length];
        for (var i = 0; i < text.Length; i++)
        {
            lower[i] = Lower(text[i]);
        }

        var start = 0;
        for (var end = 0; end <= text.Length; end++)
        {
            if (end < text.Length && char.IsAsciiLetterOrDigit(lower[end]))
            {
                if (text[end] != CapitalIWithDot)
                {
                    continue;
                }

                // Its lower case is i and a dot above, which ends the run.
                yield return Stem(new(lower, start, end + 1 - start), useStemmer);
            }
            else if (end > start)
            {
                yield return Stem(new(lower, start, end - start), useStemmer);
            }

            start = end + 1;
        }
    }

    static char Lower(char c) =>
        c switch
        {
            Kelvin => 'k',
            CapitalIWithDot => 'i',
            _ => char.IsAscii(c) ? char.ToLowerInvariant(c) : c,
        };

    static string Stem(string token, bool useStemmer) =>
        useStemmer && token.Length > 3 ? PorterStemmer.Stem(token) : token;
}
