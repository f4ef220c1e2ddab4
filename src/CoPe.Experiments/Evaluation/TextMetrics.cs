using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Evaluation;

/// <summary>What a text is like beside another: how long, how varied, how much of it copied.</summary>
/// <remarks>
/// Words are what is between spaces, in lower case, without the punctuation around them; in a script without spaces
/// between words, each character.
/// </remarks>
public static class TextMetrics
{
    /// <summary>
    /// Length of the n-grams that <see cref="CopyRate(string, IEnumerable{string})"/> compares, in words.
    /// </summary>
    public const int CopyNGramLength = 4;

    /// <summary>Words of the prediction per word of the reference.</summary>
    /// <param name="prediction">The text to score.</param>
    /// <param name="reference">The user's own text.</param>
    /// <returns>The ratio; null where the reference has no word.</returns>
    public static double? LengthRatio(string prediction, string reference) =>
        LengthRatio(TextWords.Split(prediction), TextWords.Split(reference));

    /// <summary>Different n-grams of words per n-gram. <code>distinct-n = |set| / |list|</code></summary>
    /// <remarks>Li et al., "A Diversity-Promoting Objective Function for Neural Conversation Models", 2016.</remarks>
    /// <param name="text">The text.</param>
    /// <param name="n">Length of the n-grams, 1 or more.</param>
    /// <returns>The share; null where the text is shorter than n words.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="n"/> is below 1.</exception>
    public static double? Distinct(string text, int n) => Distinct(TextWords.Split(text), n);

    /// <summary>
    /// Share of the prediction's four-word n-grams that are in one of the user's texts; 0 for a shorter prediction.
    /// </summary>
    /// <param name="prediction">The text to score.</param>
    /// <param name="history">The user's texts.</param>
    public static double CopyRate(string prediction, IEnumerable<string> history) =>
        CopyRate(TextWords.Split(prediction), FourGrams(history));

    internal static double? LengthRatio(string[] prediction, string[] reference) =>
        reference.Length > 0 ? (double)prediction.Length / reference.Length : null;

    internal static double? Distinct(string[] words, int n)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(n, 1);
        var count = words.Length - n + 1;
        if (count < 1)
        {
            return null;
        }

        var ngrams = Enumerable.Range(0, count).Select(start => new NGram(words, start, n));
        return (double)ngrams.Distinct().Count() / count;
    }

    internal static HashSet<ulong> FourGrams(
        IEnumerable<string> texts,
        WordTokenizerKind tokenizer = WordTokenizerKind.RougeScore
    )
    {
        var ngrams = new HashSet<ulong>();
        foreach (var text in texts)
        {
            ngrams.UnionWith(FourGrams(TextWords.Split(text, tokenizer)));
        }

        return ngrams;
    }

    internal static double CopyRate(string[] words, HashSet<ulong> known)
    {
        var all = FourGrams(words);
        return all.Length == 0 ? 0 : (double)all.Count(known.Contains) / all.Length;
    }

    static ulong[] FourGrams(string[] words)
    {
        var hashes = Array.ConvertAll(words, word => StableHash.Fnv1a64(word));
        var ngrams = new ulong[Math.Max(0, words.Length - CopyNGramLength + 1)];
        for (var start = 0; start < ngrams.Length; start++)
        {
            for (var i = 0; i < CopyNGramLength; i++)
            {
                ngrams[start] = StableHash.Combine(ngrams[start], hashes[start + i]);
            }
        }

        return ngrams;
    }
}

/// <summary>
/// The words that lengths, variety and copying are counted in: what is between spaces, in lower case, without the
/// punctuation around it, and each character of a script without spaces; or the words of any script.
/// </summary>
static class TextWords
{
    /// <summary>The words of a text; punctuation or emoji alone between spaces are kept as they are.</summary>
    public static string[] Split(string text, WordTokenizerKind tokenizer = WordTokenizerKind.RougeScore) =>
        tokenizer == WordTokenizerKind.Unicode ? [.. UnicodeWords.Split(text)] : SplitAtBlanks(text);

    static string[] SplitAtBlanks(string text)
    {
        var words = text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        return TextScripts.HasWithoutBlanks(text)
            ?
            [
                .. words.SelectMany(word =>
                    TextScripts.HasWithoutBlanks(word) ? UnicodeWords.Split(word) : [ToBare(word)]
                ),
            ]
            : Array.ConvertAll(words, ToBare);
    }

    static string ToBare(string word)
    {
        var bare = TrimPunctuation(word);
        return (bare.Length > 0 ? bare : word).ToLowerInvariant();
    }

    static string TrimPunctuation(string word)
    {
        var start = 0;
        var end = word.Length;
        while (start < end && IsPunctuation(word[start]))
        {
            start++;
        }

        while (end > start && IsPunctuation(word[end - 1]))
        {
            end--;
        }

        return word[start..end];
    }

    static bool IsPunctuation(char c) => char.IsPunctuation(c) || char.IsSymbol(c);
}

/// <summary>Adjacent tokens, compared by their text; it points into the list instead of joining strings.</summary>
readonly struct NGram(IReadOnlyList<string> tokens, int start, int length) : IEquatable<NGram>
{
    readonly IReadOnlyList<string> _tokens = tokens;
    readonly int _start = start;
    readonly int _length = length;

    public bool Equals(NGram other)
    {
        if (_length != other._length)
        {
            return false;
        }

        for (var i = 0; i < _length; i++)
        {
            if (!string.Equals(_tokens[_start + i], other._tokens[other._start + i], StringComparison.Ordinal))
            {
                return false;
            }
        }

        return true;
    }

    public override bool Equals(object? obj) => obj is NGram other && Equals(other);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        for (var i = 0; i < _length; i++)
        {
            hash.Add(_tokens[_start + i], StringComparer.Ordinal);
        }

        return hash.ToHashCode();
    }
}
