namespace CoPe.Runs.Recipes;

/// <summary>The nearest known word to a misspelt one, by edit distance.</summary>
public static class Nearest
{
    /// <summary>The nearest of <paramref name="known"/>, or null where none is near (more than half of the letters differ).</summary>
    public static string? Of(string word, IEnumerable<string> known)
    {
        var best = known.Select(candidate => (candidate, distance: Distance(word, candidate))).OrderBy(pair => pair.distance).FirstOrDefault();
        return best.candidate is null || best.distance * 2 > Math.Max(word.Length, best.candidate.Length) ? null : best.candidate;
    }

    /// <summary>Words that offer the nearest one, or none: <c>; did you mean 'beta'?</c></summary>
    public static string Hint(string word, IEnumerable<string> known) => Of(word, known) is { } near ? $"; did you mean '{near}'?" : "";

    /// <summary>Levenshtein distance: fewest insertions, deletions and replacements.</summary>
    public static int Distance(string from, string to)
    {
        ArgumentNullException.ThrowIfNull(from);
        ArgumentNullException.ThrowIfNull(to);
        var row = Enumerable.Range(0, to.Length + 1).ToArray();
        for (var i = 1; i <= from.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= to.Length; j++)
                (row[j], diagonal) = (Math.Min(Math.Min(row[j], row[j - 1]) + 1, diagonal + (from[i - 1] == to[j - 1] ? 0 : 1)), row[j]);
        }

        return row[to.Length];
    }
}
