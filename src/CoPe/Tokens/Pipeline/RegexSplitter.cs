using System.Globalization;
using System.Text.RegularExpressions;

namespace CoPe.Tokens.Pipeline;

/// <summary>
/// Splits by a regular expression that has no scanner of its own. .NET matches UTF-16 units, so each code point outside
/// the basic plane is first replaced by one character of the same general category: one unit a code point, same
/// classes.
/// </summary>
static class RegexSplitter
{
    /// <summary>Characters of a pattern in a message.</summary>
    const int MostShown = 100;

    static readonly TimeSpan TimeLimit = TimeSpan.FromSeconds(10);
    static readonly char[] CategoryRepresentatives = BuildCategoryRepresentatives();

    public static PreTokenizerStep Read(JsonPart part, string pattern, SplitBehavior behavior, bool invert)
    {
        if (IsUnsupported(pattern))
        {
            throw part.Error(
                $"the pattern \"{MessageText.Shorten(pattern, MostShown)}\" uses syntax of which .NET's regular "
                    + "expressions have no equal"
            );
        }

        var regex = Compile(part, pattern);
        return (piece, output) =>
        {
            var text = ToBasicPlane(piece.Span, out var offsets);
            try
            {
                SplitBehaviors.Split(piece, FindMatches(regex, text, offsets), behavior, invert, output);
            }
            catch (RegexMatchTimeoutException error)
            {
                throw new TokenizerException(
                    part.File,
                    part.Path,
                    $"the pattern \"{MessageText.Shorten(pattern, MostShown)}\" takes too long on a text of "
                        + $"{text.Length} characters",
                    error
                );
            }
        };
    }

    static Regex Compile(JsonPart part, string pattern)
    {
        try
        {
            return ForeignRegex.Create(pattern, RegexOptions.CultureInvariant | RegexOptions.Compiled, TimeLimit);
        }
        catch (ArgumentException error)
        {
            throw new TokenizerException(
                part.File,
                part.Path,
                $"the pattern \"{MessageText.Shorten(pattern, MostShown)}\" cannot be read: {error.Message}",
                error
            );
        }
    }

    static IEnumerable<(int Start, int Length)> FindMatches(Regex regex, string text, int[]? offsets)
    {
        for (var match = regex.Match(text); match.Success; match = match.NextMatch())
        {
            var start = match.Index;
            var end = start + match.Length;
            yield return offsets is null ? (start, end - start) : (offsets[start], offsets[end] - offsets[start]);
        }
    }

    /// <summary>A text of as many characters as code points.</summary>
    /// <param name="text">The text.</param>
    /// <param name="offsets">
    /// Where each of its characters begins in the text; null where nothing had to be replaced.
    /// </param>
    static string ToBasicPlane(ReadOnlySpan<char> text, out int[]? offsets)
    {
        offsets = null;
        if (!text.ContainsAnyInRange('\uD800', '\uDFFF'))
        {
            return text.ToString();
        }

        var replaced = new char[text.Length];
        var starts = new int[text.Length + 1];
        var count = 0;
        for (var i = 0; i < text.Length; count++)
        {
            var codePoint = CodePoints.GetAt(text, i, out var length);
            replaced[count] =
                length == 1 ? text[i] : CategoryRepresentatives[(int)CharUnicodeInfo.GetUnicodeCategory(codePoint)];
            starts[count] = i;
            i += length;
        }

        starts[count] = text.Length;
        offsets = starts;
        return new string(replaced, 0, count);
    }

    /// <summary>For each category a character far from the letters that patterns name one by one.</summary>
    static char[] BuildCategoryRepresentatives()
    {
        var characters = new char[(int)UnicodeCategory.OtherNotAssigned + 1];
        for (var c = 0xFFFD; c >= 0x100; c--)
        {
            var category = (int)CharUnicodeInfo.GetUnicodeCategory((char)c);
            if (characters[category] == 0)
            {
                characters[category] = (char)c;
            }
        }

        return characters;
    }

    /// <summary>
    /// True for sets inside sets, intersections, POSIX classes, possessive quantifiers, and escapes that mean something
    /// else or nothing in .NET.
    /// </summary>
    static bool IsUnsupported(string pattern)
    {
        const string UnsupportedEscapes = "hHRXKQONgk";
        var isInSet = false;
        var isAfterQuantifier = false;
        for (var i = 0; i < pattern.Length; i++)
        {
            var c = pattern[i];
            if (c == '\\')
            {
                i++;
                if (i == pattern.Length || UnsupportedEscapes.Contains(pattern[i], StringComparison.Ordinal))
                {
                    return true;
                }

                isAfterQuantifier = false;
            }
            else if (isInSet)
            {
                if (c == '[' || (c == '&' && pattern[i - 1] == '&'))
                {
                    return true;
                }

                isInSet = c != ']';
            }
            else
            {
                if (c == '+' && isAfterQuantifier)
                {
                    return true;
                }

                isInSet = c == '[';
                if (isInSet)
                {
                    i = SkipSetStart(pattern, i);
                }

                isAfterQuantifier = !isAfterQuantifier && c is '*' or '+' or '?' or '}';
            }
        }

        return false;
    }

    /// <summary>
    /// The last character of a set's beginning: <c>[</c>, <c>[^</c>, or either with a bracket that is in the set.
    /// </summary>
    static int SkipSetStart(string pattern, int index)
    {
        if (index + 1 < pattern.Length && pattern[index + 1] == '^')
        {
            index++;
        }

        var startsWithBracket = index + 1 < pattern.Length && pattern[index + 1] == ']';
        return startsWithBracket ? index + 1 : index;
    }
}

/// <summary>What becomes of the spans that a pattern matches.</summary>
enum SplitBehavior
{
    Removed,
    Isolated,
    MergedWithPrevious,
    MergedWithNext,
    Contiguous,
}

/// <summary>Turns matches into pieces.</summary>
static class SplitBehaviors
{
    public static SplitBehavior Read(JsonPart part) =>
        Enum.TryParse<SplitBehavior>(part.GetString(), out var behavior)
            ? behavior
            : throw part.Unsupported("behavior", part.GetString(), string.Join(", ", Enum.GetNames<SplitBehavior>()));

    /// <summary>Splits a piece at its matches, which come in order and do not overlap.</summary>
    public static void Split(
        TextPiece piece,
        IEnumerable<(int Start, int Length)> matches,
        SplitBehavior behavior,
        bool invert,
        List<TextPiece> output
    )
    {
        var spans = new List<(int Start, int Length, bool IsMatch)>();
        var done = 0;
        foreach (var (start, length) in matches)
        {
            if (start > done)
            {
                spans.Add((done, start - done, invert));
            }

            if (length > 0)
            {
                spans.Add((start, length, !invert));
            }

            done = start + length;
        }

        if (done < piece.Length)
        {
            spans.Add((done, piece.Length - done, invert));
        }

        foreach (var (start, length) in Merge(spans, behavior))
        {
            output.Add(piece.Slice(start, length));
        }
    }

    static IEnumerable<(int Start, int Length)> Merge(
        List<(int Start, int Length, bool IsMatch)> spans,
        SplitBehavior behavior
    )
    {
        for (var i = 0; i < spans.Count; i++)
        {
            var (start, length, isMatch) = spans[i];
            if (behavior == SplitBehavior.Removed && isMatch)
            {
                continue;
            }

            var end = start + length;
            while (i + 1 < spans.Count && IsMerged(spans[i].IsMatch, spans[i + 1].IsMatch, behavior))
            {
                i++;
                end = spans[i].Start + spans[i].Length;
            }

            yield return (start, end - start);
        }
    }

    static bool IsMerged(bool isMatch, bool isNextMatch, SplitBehavior behavior) =>
        behavior switch
        {
            SplitBehavior.MergedWithPrevious => !isMatch && isNextMatch,
            SplitBehavior.MergedWithNext => isMatch && !isNextMatch,
            SplitBehavior.Contiguous => isMatch == isNextMatch,
            _ => false,
        };
}
