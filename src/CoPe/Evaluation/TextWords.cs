namespace CoPe.Evaluation;

/// <summary>The words that lengths, variety and copying are counted in: what stands between spaces, in lower case, without the marks around it.</summary>
static class TextWords
{
    /// <summary>The words of a text; marks or emoji standing alone are kept as they are.</summary>
    public static string[] Of(string text)
    {
        var words = text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        for (var i = 0; i < words.Length; i++)
        {
            var bare = Bare(words[i]);
            words[i] = (bare.Length > 0 ? bare : words[i]).ToLowerInvariant();
        }
        return words;
    }

    static string Bare(string word)
    {
        int start = 0, end = word.Length;
        while (start < end && IsMark(word[start])) start++;
        while (end > start && IsMark(word[end - 1])) end--;
        return word[start..end];
    }

    static bool IsMark(char c) => char.IsPunctuation(c) || char.IsSymbol(c);
}
