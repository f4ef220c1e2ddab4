using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Evaluation;

/// <summary>How much several answers to one query differ.</summary>
static class AnswerDistance
{
    /// <summary>
    /// The mean over all pairs of answers of the share of words that only one of the two has: 0 where all answers are
    /// alike, 1 where no two share a word. <code>1 - |A and B| / |A or B|</code>
    /// </summary>
    public static double Mean(IReadOnlyList<string> answers)
    {
        var words = answers.Select(SplitWords).ToList();
        var distances = words.SelectMany((one, place) => words.Take(place).Select(other => Between(one, other)));
        return distances.DefaultIfEmpty().Average();
    }

    static double Between(HashSet<string> one, HashSet<string> other)
    {
        var shared = one.Count(other.Contains);
        var all = one.Count + other.Count - shared;
        return all == 0 ? 0 : 1 - (double)shared / all;
    }

    static HashSet<string> SplitWords(string text) =>
        text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)
            .SelectMany(word => TextScripts.HasWithoutBlanks(word) ? UnicodeWords.Split(word) : [word])
            .ToHashSet(StringComparer.Ordinal);
}
