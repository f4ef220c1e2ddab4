namespace CoPe.Evaluation.Language;

/// <summary>White space by Unicode's bidirectional classes, which has four separators more than <see cref="char.IsWhiteSpace(char)"/>.</summary>
static class UnicodeSpace
{
    /// <summary>Whether words are cut here.</summary>
    public static bool Is(char c) => char.IsWhiteSpace(c) || c is >= '\u001C' and <= '\u001F';
}
