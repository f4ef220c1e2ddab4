using CoPe.Data;

namespace CoPe.Runs.Recipes;

/// <summary>The known word a misspelt one was probably meant to be, for messages.</summary>
public static class Nearest
{
    /// <summary>The nearest of <paramref name="known"/>, or null where none is near (more than about half of the letters differ).</summary>
    public static string? Of(string word, IEnumerable<string> known)
    {
        ArgumentNullException.ThrowIfNull(word);
        return NearestName.Of(word, known) is { } near && NearestName.Distance(word, near) * 2 <= Math.Max(word.Length, near.Length) + 1 ? near : null;
    }

    /// <summary>Words that offer the nearest one, or none: <c>; did you mean 'beta'?</c></summary>
    public static string Hint(string word, IEnumerable<string> known) => Of(word, known) is { } near ? $"; did you mean '{near}'?" : "";
}
