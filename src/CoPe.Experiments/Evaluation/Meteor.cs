using CoPe.Experiments.Evaluation.Language;

namespace CoPe.Experiments.Evaluation;

/// <summary>
/// METEOR of one prediction against one reference, as NLTK's <c>meteor_score</c> with <c>word_tokenize</c> gives it.
/// </summary>
/// <remarks>
/// Lavie and Agarwal, "METEOR: An Automatic Metric for MT Evaluation with High Levels of Correlation with Human
/// Judgments", 2007. Tokens in lower case are matched one to one: equal ones first, then equal stems, then stems that
/// share a WordNet synset.
/// <code>
/// P = m / predicted;  R = m / expected;  F = P R / (alpha P + (1 - alpha) R)
/// score = (1 - gamma (chunks / m)^beta) F, 0 where m = 0
/// </code>
/// A chunk is a run of matches that are adjacent on both sides.
/// </remarks>
public static class Meteor
{
    static readonly MeteorOptions Defaults = new();

    /// <summary>The score, 0 to 1.</summary>
    /// <param name="prediction">The text to score.</param>
    /// <param name="reference">The text it should be.</param>
    /// <param name="options">The weights; null takes NLTK's.</param>
    public static double Score(string prediction, string reference, MeteorOptions? options = null) =>
        Score(WordTokenizer.Tokenize(prediction), WordTokenizer.Tokenize(reference), options);

    /// <summary>The score of texts that are tokenized already.</summary>
    /// <param name="prediction">Tokens to score.</param>
    /// <param name="reference">The tokens they should be.</param>
    /// <param name="options">The weights; null takes NLTK's.</param>
    public static double Score(
        IReadOnlyList<string> prediction,
        IReadOnlyList<string> reference,
        MeteorOptions? options = null
    )
    {
        options ??= Defaults;
        var matches = MeteorAlignment.Align(prediction, reference);
        if (matches.Count == 0)
        {
            return 0;
        }

        var precision = (double)matches.Count / prediction.Count;
        var recall = (double)matches.Count / reference.Count;
        var mean = precision * recall / (options.Alpha * precision + (1 - options.Alpha) * recall);
        var fragmentation = (double)MeteorAlignment.CountChunks(matches) / matches.Count;
        return (1 - options.Gamma * Math.Pow(fragmentation, options.Beta)) * mean;
    }
}

/// <summary>The weights of METEOR.</summary>
public sealed record MeteorOptions
{
    /// <summary>
    /// Weight of precision against recall in their harmonic mean, 0 to 1: near 1, recall counts most.
    /// </summary>
    public double Alpha
    {
        get;
        init => field = value is >= 0 and <= 1 ? value : throw OutOfRange(value, nameof(Alpha), "0 to 1");
    } = 0.9;

    /// <summary>Exponent of the fragmentation, 0 or more.</summary>
    public double Beta
    {
        get;
        init => field = value >= 0 ? value : throw OutOfRange(value, nameof(Beta), "0 or more");
    } = 3;

    /// <summary>Most that fragmentation takes away, 0 to 1.</summary>
    public double Gamma
    {
        get;
        init => field = value is >= 0 and <= 1 ? value : throw OutOfRange(value, nameof(Gamma), "0 to 1");
    } = 0.5;

    static ArgumentOutOfRangeException OutOfRange(double value, string name, string range) =>
        new(name, value, $"{name} is {value}; expected {range}.");
}

/// <summary>Which token of a prediction METEOR matches with which of the reference.</summary>
static class MeteorAlignment
{
    /// <summary>The matches, as positions on either side, in the prediction's order.</summary>
    /// <remarks>
    /// Each stage goes through the prediction from its end and takes the last free position of the reference that fits.
    /// </remarks>
    public static List<(int Prediction, int Reference)> Align(
        IReadOnlyList<string> prediction,
        IReadOnlyList<string> reference
    )
    {
        var matches = new List<(int Prediction, int Reference)>(prediction.Count);
        var predicted = ToWords(prediction);
        var expected = ToWords(reference);
        Match(predicted, expected, matches, FindEqual);
        Stem(predicted);
        Stem(expected);
        Match(predicted, expected, matches, FindEqual);
        Match(predicted, expected, matches, FindSynonym);
        matches.Sort();
        return matches;
    }

    /// <summary>Number of runs of matches that are adjacent on both sides.</summary>
    public static int CountChunks(List<(int Prediction, int Reference)> matches)
    {
        var chunks = Math.Min(1, matches.Count);
        for (var i = 1; i < matches.Count; i++)
        {
            var (prediction, reference) = matches[i - 1];
            if (matches[i] != (prediction + 1, reference + 1))
            {
                chunks++;
            }
        }

        return chunks;
    }

    static List<(int Position, string Word)> ToWords(IReadOnlyList<string> tokens) =>
        [.. tokens.Select((token, position) => (position, UnicodeText.ToLower(token)))];

    static void Stem(List<(int Position, string Word)> words)
    {
        for (var i = 0; i < words.Count; i++)
        {
            words[i] = (words[i].Position, PorterStemmer.Stem(words[i].Word));
        }
    }

    /// <summary>Moves pairs of words from both sides to the matches.</summary>
    /// <param name="predicted">Words without a match yet.</param>
    /// <param name="expected">Words of the reference without a match yet.</param>
    /// <param name="matches">Gets the pairs.</param>
    /// <param name="find">The free positions, none of them empty, from which a word takes its match.</param>
    static void Match(
        List<(int Position, string Word)> predicted,
        List<(int Position, string Word)> expected,
        List<(int, int)> matches,
        Func<string, Dictionary<string, Stack<int>>, Stack<int>?> find
    )
    {
        var free = new Dictionary<string, Stack<int>>(expected.Count, StringComparer.Ordinal);
        foreach (var (position, word) in expected)
        {
            if (!free.TryGetValue(word, out var positions))
            {
                positions = new();
                free[word] = positions;
            }

            positions.Push(position);
        }

        var taken = new HashSet<int>();
        for (var i = predicted.Count - 1; i >= 0; i--)
        {
            if (find(predicted[i].Word, free) is not { } positions)
            {
                continue;
            }

            var position = positions.Pop();
            taken.Add(position);
            matches.Add((predicted[i].Position, position));
            predicted.RemoveAt(i);
        }

        expected.RemoveAll(word => taken.Contains(word.Position));
    }

    static Stack<int>? FindEqual(string word, Dictionary<string, Stack<int>> free) =>
        free.TryGetValue(word, out var positions) && positions.Count > 0 ? positions : null;

    /// <summary>Of the word itself and its synonyms, the one that is free last.</summary>
    static Stack<int>? FindSynonym(string word, Dictionary<string, Stack<int>> free)
    {
        var last = free.GetValueOrDefault(word);
        foreach (var synonym in WordNet.Synonyms(word))
        {
            if (free.TryGetValue(synonym, out var positions) && LastOf(positions) > LastOf(last))
            {
                last = positions;
            }
        }

        return last is { Count: > 0 } ? last : null;
    }

    static int LastOf(Stack<int>? positions) => positions is { Count: > 0 } ? positions.Peek() : -1;
}
