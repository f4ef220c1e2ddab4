namespace CoPe;

/// <summary>Finds the known name that a misspelled one was meant to be, for error messages.</summary>
static class NearestName
{
    /// <summary>
    /// The known name with the fewest letters to insert, delete or change (case aside); the first of equals; null where
    /// nothing is known.
    /// </summary>
    public static string? FindNearest(string found, IEnumerable<string> known) =>
        known.MinBy(name => LevenshteinDistance(Normalize(found), Normalize(name)));

    /// <summary>
    /// The nearest of <paramref name="known"/>, or null where none is near (more than about half of the letters
    /// differ).
    /// </summary>
    public static string? FindSimilar(string found, IEnumerable<string> known)
    {
        ArgumentNullException.ThrowIfNull(found);
        var nearest = FindNearest(found, known);
        if (nearest is null)
        {
            return null;
        }

        var longest = Math.Max(found.Length, nearest.Length);
        return LevenshteinDistance(found, nearest) * 2 <= longest + 1 ? nearest : null;
    }

    /// <summary>Words that offer the nearest one, or none: <c>; did you mean 'beta'?</c></summary>
    public static string Hint(string found, IEnumerable<string> known) =>
        FindSimilar(found, known) is { } near ? $"; did you mean '{near}'?" : "";

    static string Normalize(string name) => name.ToLowerInvariant().Replace('-', '_');

    /// <summary>How many letters to insert, delete or change make one name of the other.</summary>
    public static int LevenshteinDistance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var change = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(change, 1 + Math.Min(row[j], row[j - 1]));
            }
        }

        return row[b.Length];
    }
}
