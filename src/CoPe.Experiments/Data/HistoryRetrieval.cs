using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Data;

/// <summary>Retrieves items of a user's history that a prompt shows before a request.</summary>
/// <param name="task">Says which fields of an item are its text.</param>
/// <param name="user">The user.</param>
public sealed class HistoryRetrieval(LampTask task, LampUser user)
{
    readonly Lazy<Bm25> _index = new(() => new Bm25([.. user.History.Select(item => TextOf(task, item))]));

    /// <summary>
    /// The items most similar to the request by BM25 over input and answer, best first; of ties, the later ones.
    /// </summary>
    public IReadOnlyList<HistoryItem> FindSimilar(string request, int count)
    {
        var scores = _index.Value.ComputeScores(request);
        return
        [
            .. Enumerable
                .Range(0, scores.Length)
                .OrderByDescending(item => scores[item])
                .ThenByDescending(item => item)
                .Take(count)
                .Select(item => user.History[item]),
        ];
    }

    /// <summary>The most recent items, the latest first.</summary>
    public IReadOnlyList<HistoryItem> TakeRecent(int count) => [.. user.History.Reverse().Take(count)];

    static string TextOf(LampTask task, HistoryItem item) =>
        string.Join(
            '\n',
            task.InputFields.Append(task.OutputField).Select(field => item.Fields.GetValueOrDefault(field, ""))
        );
}

/// <summary>
/// Okapi BM25 over a fixed set of texts (Robertson and Zaragoza, 2009, eq. 3.15, with the idf that is never negative).
/// <code>score(q, d) = sum_w idf(w) * f(w, d) * (k1 + 1) / (f(w, d) + k1 * (1 - b + b * |d| / mean |d|))
/// idf(w) = log(1 + (N - n(w) + 0.5) / (n(w) + 0.5))</code>
/// Words are runs of letters and digits in lower case, and each character of a script without blanks.
/// </summary>
sealed class Bm25
{
    const double K1 = 1.5;
    const double B = 0.75;

    readonly Dictionary<string, List<(int Text, int Count)>> _postings = [];
    readonly int[] _lengths;
    readonly double _meanLength;

    /// <summary>Indexes the texts.</summary>
    public Bm25(IReadOnlyList<string> texts)
    {
        _lengths = new int[texts.Count];
        for (var text = 0; text < texts.Count; text++)
        {
            foreach (var (word, count) in SplitWords(texts[text]).CountBy(word => word))
            {
                if (!_postings.TryGetValue(word, out var list))
                {
                    _postings[word] = list = [];
                }

                list.Add((text, count));
                _lengths[text] += count;
            }
        }
        _meanLength = _lengths.Length == 0 ? 0 : _lengths.Average();
    }

    /// <summary>
    /// The score of every text for a query, in the order of the texts; a word counts once, however often the query
    /// repeats it.
    /// </summary>
    public double[] ComputeScores(string query)
    {
        var scores = new double[_lengths.Length];
        foreach (var word in SplitWords(query).Distinct())
        {
            if (!_postings.TryGetValue(word, out var list))
            {
                continue;
            }

            var idf = Math.Log(1 + (_lengths.Length - list.Count + 0.5) / (list.Count + 0.5));
            foreach (var (text, count) in list)
            {
                var lengthNormalization = K1 * (1 - B + B * _lengths[text] / _meanLength);
                scores[text] += idf * count * (K1 + 1) / (count + lengthNormalization);
            }
        }

        return scores;
    }

    static IEnumerable<string> SplitWords(string text) =>
        TextScripts.HasWithoutBlanks(text)
            ? SplitByScript(text)
                .SelectMany(part => part.IsWithoutBlanks ? UnicodeWords.Split(part.Text) : SplitRuns(part.Text))
            : SplitRuns(text);

    /// <summary>A text in parts, in turn of scripts with and without blanks between words.</summary>
    static IEnumerable<(string Text, bool IsWithoutBlanks)> SplitByScript(string text)
    {
        var (start, place, last) = (0, 0, false);
        foreach (var rune in text.EnumerateRunes())
        {
            var isWithoutBlanks = TextScripts.IsWithoutBlanks(rune);
            if (isWithoutBlanks != last && place > start)
            {
                yield return (text[start..place], last);
                start = place;
            }

            last = isWithoutBlanks;
            place += rune.Utf16SequenceLength;
        }

        yield return (text[start..], last);
    }

    static IEnumerable<string> SplitRuns(string text)
    {
        var start = -1;
        for (var i = 0; i <= text.Length; i++)
        {
            if (i < text.Length && char.IsLetterOrDigit(text[i]))
            {
                start = start < 0 ? i : start;
            }
            else if (start >= 0)
            {
                yield return text[start..i].ToLowerInvariant();
                start = -1;
            }
        }
    }
}
