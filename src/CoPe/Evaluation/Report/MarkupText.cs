using System.Globalization;
using System.Text;

namespace CoPe.Evaluation.Report;

/// <summary>Texts made safe for HTML and XML, and cut without breaking a character.</summary>
internal static class MarkupText
{
    /// <summary>
    /// Escapes <c>&amp; &lt; &gt; " '</c>; what XML does not allow (control characters, lone surrogates) becomes U+FFFD.
    /// </summary>
    public static string Escape(string text)
    {
        var result = new StringBuilder(text.Length + 16);
        foreach (var rune in text.ReplaceLineEndings("\n").EnumerateRunes())
            Append(result, rune);
        return result.ToString();
    }

    /// <summary>The first <paramref name="limit"/> characters as a reader counts them, and how many follow.</summary>
    public static (string Head, int Left) Cut(string text, int limit)
    {
        if (text.Length <= limit)
            return (text, 0);
        var starts = StringInfo.ParseCombiningCharacters(text);
        return starts.Length <= limit ? (text, 0) : (text[..starts[limit]], starts.Length - limit);
    }

    /// <summary>A text for a narrow place, with an ellipsis where it was cut.</summary>
    public static string Shorten(string text, int limit)
    {
        var (head, left) = Cut(text, limit);
        return left == 0 ? head : head.TrimEnd() + "…";
    }

    private static void Append(StringBuilder result, Rune rune)
    {
        var escaped = rune.Value switch
        {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            '"' => "&quot;",
            '\'' => "&#39;",
            '\n' or '\t' => null,
            < ' ' or 0xFFFE or 0xFFFF => "\uFFFD",
            _ => null,
        };
        if (escaped is null)
            result.Append(rune);
        else
            result.Append(escaped);
    }
}
