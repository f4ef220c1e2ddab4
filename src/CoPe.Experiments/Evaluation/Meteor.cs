using CoPe.Experiments.Evaluation.Language;

namespace CoPe.Experiments.Evaluation;

/// <summary>
/// METEOR of one prediction against one reference, as NLTK's <c>meteor_score</c> with <c>word_tokenize</c> gives it.
/// </summary>
/// <remarks>
/// Lavie and Agarwal, "METEOR: An Automatic Metric for MT Evaluation with High Levels of Correlation with Human
/// Judgments", 2007. Tokens in lower
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
        init => field = value is >= 0 and <= 1 ? value : throw Out(value, nameof(Alpha), "0 to 1");
    } = 0.9;

    /// <summary>Exponent of the fragmentation, 0 or more.</summary>
    public double Beta
    {
        get;
        init => field = value >= 0 ? value : throw Out(value, nameof(Beta), "0 or more");
    } = 3;

    /// <summary>Most that fragmentation takes away, 0 to 1.</summary>
    public double Gamma
    {
        get;
        init => field = value is >= 0 and <= 1 ? value : throw Out(value, nameof(Gamma), "0 to 1");
    } = 0.5;

    static ArgumentOutOfRangeException Out(double value, string name, string range) =>
        new(name, value, $"{name} is {value}; expected {range}.");
}

/// <summary>Which token of a prediction METEOR matches with which of the reference.</summary>
static class MeteorAlignment
{
    /// <summary>The matches, as places on either side, in the prediction's order.</summary>
    /// <remarks>
    /// Each stage goes through the prediction from its end and takes the last free place of the reference that fits.
    /// </remarks>
    public static List<(int Prediction, int Reference)> Align(
        IReadOnlyList<string> prediction,
        IReadOnlyList<string> reference
    )
    {
        var matches = new List<(int Prediction, int Reference)>(prediction.Count);
        var left = Places(prediction);
        var right = Places(reference);
        Equal(left, right, matches);
        Stem(left);
        Stem(right);
        Equal(left, right, matches);
        Synonymous(left, right, matches);
        matches.Sort();
        return matches;
    }

    /// <summary>Number of runs of matches that are neighbours on both sides.</summary>
    public static int CountChunks(List<(int Prediction, int Reference)> matches)
    {
        var chunks = Math.Min(1, matches.Count);
        for (var i = 1; i < matches.Count; i++)
        {
            if (matches[i] != (matches[i - 1].Prediction + 1, matches[i - 1].Reference + 1))
            {
                chunks++;
            }
        }

        return chunks;
    }

    static List<(int At, string Word)> Places(IReadOnlyList<string> tokens)
    {
        var places = new List<(int, string)>(tokens.Count);
        for (var i = 0; i < tokens.Count; i++)
        {
            places.Add((i, UnicodeText.ToLower(tokens[i])));
        }

        return places;
    }

    static void Stem(List<(int At, string Word)> places)
    {
        for (var i = 0; i < places.Count; i++)
        {
            places[i] = (places[i].At, PorterStemmer.Stem(places[i].Word));
        }
    }

    static void Equal(List<(int At, string Word)> left, List<(int At, string Word)> right, List<(int, int)> matches) =>
        Match(
            left,
            right,
            matches,
            (word, free) => free.TryGetValue(word, out var stack) && stack.Count > 0 ? stack : null
        );

    static void Synonymous(
        List<(int At, string Word)> left,
        List<(int At, string Word)> right,
        List<(int, int)> matches
    ) =>
        Match(
            left,
            right,
            matches,
            (word, free) =>
            {
                var last = free.GetValueOrDefault(word);
                foreach (var synonym in WordNet.Synonyms(word))
                {
                    if (free.TryGetValue(synonym, out var stack) && Top(stack) > Top(last))
                    {
                        last = stack;
                    }
                }

                return last is { Count: > 0 } ? last : null;
            }
        );

    static int Top(Stack<int>? stack) => stack is { Count: > 0 } ? stack.Peek() : -1;

    static void Match(
        List<(int At, string Word)> left,
        List<(int At, string Word)> right,
        List<(int, int)> matches,
        Func<string, Dictionary<string, Stack<int>>, Stack<int>?> find
    )
    {
        var free = new Dictionary<string, Stack<int>>(right.Count, StringComparer.Ordinal);
        foreach (var (at, word) in right)
        {
            if (!free.TryGetValue(word, out var stack))
            {
                free[word] = stack = new();
            }

            stack.Push(at);
        }
        var taken = new HashSet<int>();
        for (var i = left.Count - 1; i >= 0; i--)
        {
            if (find(left[i].Word, free) is not { } stack)
            {
                continue;
            }

            var at = stack.Pop();
            taken.Add(at);
            matches.Add((left[i].At, at));
            left.RemoveAt(i);
        }
        right.RemoveAll(place => taken.Contains(place.At));
    }
}
