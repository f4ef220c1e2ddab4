using System.Globalization;
using System.Text;

namespace CoPe.Experiments.Evaluation.Language;

/// <summary>What Python's strings know of Unicode and .NET's do not.</summary>
static class UnicodeText
{
    const char Sigma = '\u03A3';
    const char SmallSigma = '\u03C3';
    const char FinalSigma = '\u03C2';
    const char CapitalIWithDot = '\u0130';

    /// <summary>
    /// Full lower case as Unicode defines it without a language: unlike <see cref="string.ToLowerInvariant"/>, one
    /// letter may become two, and a sigma at a word's end is ς.
    /// </summary>
    public static string ToLower(string text)
    {
        if (text.AsSpan().IndexOfAny(Sigma, CapitalIWithDot) < 0)
        {
            return text.ToLowerInvariant();
        }

        var lower = new StringBuilder(text.Length + 4);
        for (var i = 0; i < text.Length; i++)
        {
            switch (text[i])
            {
                case Sigma:
                    lower.Append(IsWordEnd(text, i) ? FinalSigma : SmallSigma);
                    break;
                case CapitalIWithDot:
                    lower.Append("i\u0307");
                    break;
                default:
                    lower.Append(text[i]);
                    break;
            }
        }

        return lower.ToString().ToLowerInvariant();
    }

    static bool IsWordEnd(string text, int at) => HasLetterBeside(text, at, -1) && !HasLetterBeside(text, at, 1);

    static bool HasLetterBeside(string text, int at, int step)
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

    /// <summary>
    /// Whether a character is white space by Unicode's bidirectional classes, which have four separators more than
    /// <see cref="char.IsWhiteSpace(char)"/>.
    /// </summary>
    public static bool IsWhiteSpace(char c) => char.IsWhiteSpace(c) || c is >= '\u001C' and <= '\u001F';
}
