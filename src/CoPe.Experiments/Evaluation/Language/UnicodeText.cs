using System.Globalization;
using System.Text;

namespace CoPe.Experiments.Evaluation.Language;

/// <summary>
/// Full lower case as Unicode defines it without a language: unlike <see cref="string.ToLowerInvariant"/>, one letter
/// may become two, and a sigma at a word's end is ς.
/// </summary>
static class UnicodeText
{
    const char Sigma = '\u03A3',
        SmallSigma = '\u03C3',
        FinalSigma = '\u03C2',
        CapitalIWithDot = '\u0130';

    /// <summary>The text in lower case.</summary>
    public static string ToLower(string text)
    {
        if (text.AsSpan().IndexOfAny(Sigma, CapitalIWithDot) < 0)
        {
            return text.ToLowerInvariant();
        }

        var lower = new StringBuilder(text.Length + 4);
        for (var i = 0; i < text.Length; i++)
        {
            _ = text[i] switch
            {
                Sigma => lower.Append(CasedBeside(text, i, -1) && !CasedBeside(text, i, 1) ? FinalSigma : SmallSigma),
                CapitalIWithDot => lower.Append("i\u0307"),
                _ => lower.Append(text[i]),
            };
        }

        return lower.ToString().ToLowerInvariant();
    }

    static bool CasedBeside(string text, int at, int step)
    {
        for (var i = at + step; i >= 0 && i < text.Length; i += step)
        {
            if (IsIgnorable(text[i]))
            {
                continue;
            }

            return CharUnicodeInfo.GetUnicodeCategory(text[i])
                is UnicodeCategory.UppercaseLetter
                    or UnicodeCategory.LowercaseLetter
                    or UnicodeCategory.TitlecaseLetter;
        }
        return false;
    }

    static bool IsIgnorable(char c) =>
        c is '\'' or '.' or ':' or '\u00B7' or '\u2019'
        || CharUnicodeInfo.GetUnicodeCategory(c)
            is UnicodeCategory.NonSpacingMark
                or UnicodeCategory.EnclosingMark
                or UnicodeCategory.Format
                or UnicodeCategory.ModifierLetter
                or UnicodeCategory.ModifierSymbol;
}

/// <summary>
/// White space by Unicode's bidirectional classes, which has four separators more than
/// <see cref="char.IsWhiteSpace(char)"/>.
/// </summary>
static class UnicodeSpace
{
    /// <summary>Whether words are cut here.</summary>
    public static bool IsWhiteSpace(char c) => char.IsWhiteSpace(c) || c is >= '\u001C' and <= '\u001F';
}
