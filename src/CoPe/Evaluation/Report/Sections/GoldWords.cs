namespace CoPe.Evaluation.Report.Sections;

/// <summary>Underlines the words of an output that the gold has too.</summary>
internal static class GoldWords
{
    private const int ShortestWord = 4;

    /// <summary>The words of four letters or digits and more, without regard to case.</summary>
    public static HashSet<string> Of(string gold) =>
        Split(gold).Where(piece => piece.IsWord && piece.Text.Length >= ShortestWord).Select(piece => piece.Text).ToHashSet(StringComparer.OrdinalIgnoreCase);

    /// <summary>Writes the text with the words of <paramref name="words"/> marked.</summary>
    public static void Write(Markup markup, string text, HashSet<string> words)
    {
        foreach (var (piece, isWord) in Split(text))
            if (isWord && words.Contains(piece))
                markup.Element("u", piece);
            else
                markup.Text(piece);
    }

    private static IEnumerable<(string Text, bool IsWord)> Split(string text)
    {
        for (var start = 0; start < text.Length;)
        {
            var isWord = char.IsLetterOrDigit(text[start]);
            var end = start + 1;
            while (end < text.Length && char.IsLetterOrDigit(text[end]) == isWord)
                end++;
            yield return (text[start..end], isWord);
            start = end;
        }
    }
}
