using System.Globalization;
using System.Text.RegularExpressions;

namespace CoPe.Tokens.Pipeline;

/// <summary>
/// Cuts by a regular expression that has no scanner of its own. .NET matches UTF-16 units, so each code point outside the basic plane
/// is first replaced by one character of the same general category: one unit per code point, same classes.
/// </summary>
internal static class RegexSplitter
{
    static readonly char[] OfCategory = BuildOfCategory();

    public static PreTokenizerStep Read(JsonPart part, string pattern, SplitBehavior behavior, bool invert)
    {
        if (IsForeign(pattern)) throw part.Fail($"the pattern \"{pattern}\" uses syntax of which .NET's regular expressions have no equal");
        Regex regex;
        try { regex = new Regex(pattern, RegexOptions.CultureInvariant | RegexOptions.Compiled, TimeSpan.FromSeconds(10)); }
        catch (ArgumentException error) { throw new TokenizerException(part.File, part.Path, $"the pattern \"{pattern}\" cannot be read: {error.Message}", error); }
        return (piece, output) =>
        {
            var text = Project(piece.Span, out var offsets);
            try { SplitBehaviors.Cut(piece, Matches(regex, text, offsets), behavior, invert, output); }
            catch (RegexMatchTimeoutException error) { throw new TokenizerException(part.File, part.Path, $"the pattern \"{pattern}\" takes too long on a text of {text.Length} characters", error); }
        };
    }

    static IEnumerable<(int Start, int Length)> Matches(Regex regex, string text, int[]? offsets)
    {
        for (var match = regex.Match(text); match.Success; match = match.NextMatch())
        {
            int start = match.Index, end = start + match.Length;
            yield return offsets is null ? (start, end - start) : (offsets[start], offsets[end] - offsets[start]);
        }
    }

    // offsets: where each projected character begins in the text; null where nothing had to be replaced.
    static string Project(ReadOnlySpan<char> text, out int[]? offsets)
    {
        offsets = null;
        if (!text.ContainsAnyInRange('\uD800', '\uDFFF')) return text.ToString();
        var projected = new char[text.Length];
        var starts = new int[text.Length + 1];
        var count = 0;
        for (var i = 0; i < text.Length; count++)
        {
            var codePoint = CodePoints.At(text, i, out var length);
            projected[count] = length == 1 ? text[i] : OfCategory[(int)CharUnicodeInfo.GetUnicodeCategory(codePoint)];
            starts[count] = i;
            i += length;
        }
        starts[count] = text.Length;
        offsets = starts;
        return new string(projected, 0, count);
    }

    // A stand-in far from the letters that patterns name one by one.
    static char[] BuildOfCategory()
    {
        var characters = new char[(int)UnicodeCategory.OtherNotAssigned + 1];
        for (var c = 0xFFFD; c >= 0x100; c--)
        {
            var category = (int)CharUnicodeInfo.GetUnicodeCategory((char)c);
            if (characters[category] == 0) characters[category] = (char)c;
        }
        return characters;
    }

    // Sets inside sets, intersections, POSIX classes, possessive quantifiers, and escapes that mean something else or nothing in .NET.
    static bool IsForeign(string pattern)
    {
        bool inSet = false, afterQuantifier = false;
        for (var i = 0; i < pattern.Length; i++)
        {
            var c = pattern[i];
            if (c == '\\')
            {
                if (++i == pattern.Length || "hHRXKQONgk".Contains(pattern[i], StringComparison.Ordinal)) return true;
                afterQuantifier = false;
            }
            else if (inSet)
            {
                if (c == '[' || (c == '&' && pattern[i - 1] == '&')) return true;
                inSet = c != ']';
            }
            else
            {
                if (c == '+' && afterQuantifier) return true;
                inSet = c == '[';
                if (inSet && i + 1 < pattern.Length && pattern[i + 1] == '^') i++;
                if (inSet && i + 1 < pattern.Length && pattern[i + 1] == ']') i++;
                afterQuantifier = !afterQuantifier && c is '*' or '+' or '?' or '}';
            }
        }
        return false;
    }
}
