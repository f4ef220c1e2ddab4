namespace CoPe;

/// <summary>Finds the known name that a misspelled one was meant to be, for error messages.</summary>
static class NearestName
{
    /// <summary>Letters of a name that are compared.</summary>
    const int MaxLength = 100;

    /// <summary>
    /// The known name with the fewest letters to insert, delete or change (case aside); the first of equals; null where
    /// nothing is known.
    /// </summary>
    public static string? FindNearest(string found, IEnumerable<string> known) =>
        known.MinBy(name => LevenshteinDistance(Normalize(found), Normalize(name)));

    /// <summary>
    /// The nearest of <paramref name="known"/>, or null where none is near: more than a third of the letters differ,
    /// two that changed places counting as one, and it does not begin with what was found.
    /// </summary>
    public static string? FindSimilar(string found, IEnumerable<string> known)
    {
        ArgumentNullException.ThrowIfNull(found);
        var typed = Normalize(found);
        var names = known.ToList();
        var nearest = names.MinBy(name => CountSlips(typed, Normalize(name)));
        if (nearest is null)
        {
            return null;
        }

        var longest = Math.Max(typed.Length, Normalize(nearest).Length);
        if (CountSlips(typed, Normalize(nearest)) * 3 <= longest)
        {
            return nearest;
        }

        return typed.Length >= 3
            ? names.Find(name => Normalize(name).StartsWith(typed, StringComparison.Ordinal))
            : null;
    }

    /// <summary>Words that offer the nearest one, or none: <c>; did you mean 'beta'?</c></summary>
    public static string Hint(string found, IEnumerable<string> known) =>
        FindSimilar(found, known) is { } near ? $"; did you mean '{near}'?" : "";

    /// <summary>
    /// The name without case, without the dashes of an option, and with one kind of dash within; of one that is longer
    /// than any name, the beginning.
    /// </summary>
    static string Normalize(string name)
    {
        var word = name.TrimStart('-');
        return word[..Math.Min(word.Length, MaxLength)].ToLowerInvariant().Replace('-', '_');
    }

    /// <summary>How many slips make one name of the other, two letters that changed places being one.</summary>
    static int CountSlips(string a, string b)
    {
        var counts = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++)
        {
            for (var j = 0; j <= b.Length; j++)
            {
                counts[i, j] = (i, j) switch
                {
                    (0, _) => j,
                    (_, 0) => i,
                    _ => Math.Min(
                        counts[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1),
                        1 + Math.Min(counts[i - 1, j], counts[i, j - 1])
                    ),
                };
                var areSwapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
                if (areSwapped)
                {
                    counts[i, j] = Math.Min(counts[i, j], counts[i - 2, j - 2] + 1);
                }
            }
        }

        return counts[a.Length, b.Length];
    }

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
