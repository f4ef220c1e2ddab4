using CoPe.Evaluation.Language;

namespace CoPe.Evaluation;

/// <summary>Which token of a prediction METEOR matches with which of the reference.</summary>
static class MeteorAlignment
{
    /// <summary>The matches, as places on either side, in the prediction's order.</summary>
    /// <remarks>Each stage goes through the prediction from its end and takes the last free place of the reference that fits.</remarks>
    public static List<(int Prediction, int Reference)> Matches(IReadOnlyList<string> prediction, IReadOnlyList<string> reference)
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
    public static int Chunks(List<(int Prediction, int Reference)> matches)
    {
        var chunks = Math.Min(1, matches.Count);
        for (var i = 1; i < matches.Count; i++)
            if (matches[i] != (matches[i - 1].Prediction + 1, matches[i - 1].Reference + 1)) chunks++;
        return chunks;
    }

    static List<(int At, string Word)> Places(IReadOnlyList<string> tokens)
    {
        var places = new List<(int, string)>(tokens.Count);
        for (var i = 0; i < tokens.Count; i++) places.Add((i, Lowercase.Of(tokens[i])));
        return places;
    }

    static void Stem(List<(int At, string Word)> places)
    {
        for (var i = 0; i < places.Count; i++) places[i] = (places[i].At, PorterStemmer.Stem(places[i].Word));
    }

    static void Equal(List<(int At, string Word)> left, List<(int At, string Word)> right, List<(int, int)> matches) =>
        Match(left, right, matches, (word, free) => free.TryGetValue(word, out var stack) && stack.Count > 0 ? stack : null);

    static void Synonymous(List<(int At, string Word)> left, List<(int At, string Word)> right, List<(int, int)> matches) =>
        Match(left, right, matches, (word, free) =>
        {
            var last = free.GetValueOrDefault(word);
            foreach (var synonym in WordNet.Synonyms(word))
                if (free.TryGetValue(synonym, out var stack) && Top(stack) > Top(last)) last = stack;
            return last is { Count: > 0 } ? last : null;
        });

    static int Top(Stack<int>? stack) => stack is { Count: > 0 } ? stack.Peek() : -1;

    static void Match(List<(int At, string Word)> left, List<(int At, string Word)> right, List<(int, int)> matches,
        Func<string, Dictionary<string, Stack<int>>, Stack<int>?> find)
    {
        var free = new Dictionary<string, Stack<int>>(right.Count, StringComparer.Ordinal);
        foreach (var (at, word) in right)
        {
            if (!free.TryGetValue(word, out var stack)) free[word] = stack = new();
            stack.Push(at);
        }
        var taken = new HashSet<int>();
        for (var i = left.Count - 1; i >= 0; i--)
        {
            if (find(left[i].Word, free) is not { } stack) continue;
            var at = stack.Pop();
            taken.Add(at);
            matches.Add((left[i].At, at));
            left.RemoveAt(i);
        }
        right.RemoveAll(place => taken.Contains(place.At));
    }
}
