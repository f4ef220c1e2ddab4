using System.Globalization;
using System.Text.RegularExpressions;

namespace CoPe.Tokens.Pipeline;

/// <summary>
/// Cuts by a regular expression that has no scanner of its own. .NET matches UTF-16 units, so each code point outside
/// the basic plane
/// is first replaced by one character of the same general category: one unit per code point, same classes.
/// </summary>
static class RegexSplitter
{
    static readonly char[] CategoryRepresentatives = BuildCategoryRepresentatives();

    public static PreTokenizerStep Read(JsonPart part, string pattern, SplitBehavior behavior, bool invert)
    {
        if (IsUnsupported(pattern))
        {
            throw part.Error(
                $"the pattern \"{pattern}\" uses syntax of which .NET's regular expressions have no equal"
            );
        }

        Regex regex;
        try
        {
            regex = new Regex(pattern, RegexOptions.CultureInvariant | RegexOptions.Compiled, TimeSpan.FromSeconds(10));
        }
        catch (ArgumentException error)
        {
            throw new TokenizerException(
                part.File,
                part.Path,
                $"the pattern \"{pattern}\" cannot be read: {error.Message}",
                error
            );
        }
        return (piece, output) =>
        {
            var text = ToBasicPlane(piece.Span, out var offsets);
            try
            {
                SplitBehaviors.Split(piece, Matches(regex, text, offsets), behavior, invert, output);
            }
            catch (RegexMatchTimeoutException error)
            {
                throw new TokenizerException(
                    part.File,
                    part.Path,
                    $"the pattern \"{pattern}\" takes too long on a text of {text.Length} characters",
                    error
                );
            }
        };
    }

    static IEnumerable<(int Start, int Length)> Matches(Regex regex, string text, int[]? offsets)
    {
        for (var match = regex.Match(text); match.Success; match = match.NextMatch())
        {
            int start = match.Index,
                end = start + match.Length;
            yield return offsets is null ? (start, end - start) : (offsets[start], offsets[end] - offsets[start]);
        }
    }

    // offsets: where each projected character begins in the text; null where nothing had to be replaced.
    static string ToBasicPlane(ReadOnlySpan<char> text, out int[]? offsets)
    {
        offsets = null;
        if (!text.ContainsAnyInRange('\uD800', '\uDFFF'))
        {
            return text.ToString();
        }

        var projected = new char[text.Length];
        var starts = new int[text.Length + 1];
        var count = 0;
        for (var i = 0; i < text.Length; count++)
        {
            var codePoint = CodePoints.GetAt(text, i, out var length);
            projected[count] =
                length == 1 ? text[i] : CategoryRepresentatives[(int)CharUnicodeInfo.GetUnicodeCategory(codePoint)];
            starts[count] = i;
            i += length;
        }
        starts[count] = text.Length;
        offsets = starts;
        return new string(projected, 0, count);
    }

    // A stand-in far from the letters that patterns name one by one.
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

    // Sets inside sets, intersections, POSIX classes, possessive quantifiers, and escapes that mean something else or
    // nothing in .NET.
    static bool IsUnsupported(string pattern)
    {
        bool inSet = false,
            afterQuantifier = false;
        for (var i = 0; i < pattern.Length; i++)
        {
            var c = pattern[i];
            if (c == '\\')
            {
                if (++i == pattern.Length || "hHRXKQONgk".Contains(pattern[i], StringComparison.Ordinal))
                {
                    return true;
                }

                afterQuantifier = false;
            }
            else if (inSet)
            {
                if (c == '[' || (c == '&' && pattern[i - 1] == '&'))
                {
                    return true;
                }

                inSet = c != ']';
            }
            else
            {
                if (c == '+' && afterQuantifier)
                {
                    return true;
                }

                inSet = c == '[';
                if (inSet && i + 1 < pattern.Length && pattern[i + 1] == '^')
                {
                    i++;
                }

                if (inSet && i + 1 < pattern.Length && pattern[i + 1] == ']')
                {
                    i++;
                }

                afterQuantifier = !afterQuantifier && c is '*' or '+' or '?' or '}';
            }
        }
        return false;
    }
}

/// <summary>What becomes of the stretches that a pattern matches.</summary>
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

    /// <summary>Cuts a piece at its matches (in order, not overlapping).</summary>
    public static void Split(
        TextPiece piece,
        IEnumerable<(int Start, int Length)> matches,
        SplitBehavior behavior,
        bool invert,
        List<TextPiece> output
    )
    {
        var stretches = new List<(int Start, int Length, bool Match)>();
        var done = 0;
        foreach (var (start, length) in matches)
        {
            if (start > done)
            {
                stretches.Add((done, start - done, invert));
            }

            if (length > 0)
            {
                stretches.Add((start, length, !invert));
            }

            done = start + length;
        }
        if (done < piece.Length)
        {
            stretches.Add((done, piece.Length - done, invert));
        }

        foreach (var (start, length) in Merge(stretches, behavior))
        {
            output.Add(piece.Slice(start, length));
        }
    }

    static IEnumerable<(int Start, int Length)> Merge(
        List<(int Start, int Length, bool Match)> stretches,
        SplitBehavior behavior
    )
    {
        for (var i = 0; i < stretches.Count; i++)
        {
            var (start, length, match) = stretches[i];
            if (behavior == SplitBehavior.Removed && match)
            {
                continue;
            }

            var end = start + length;
            while (i + 1 < stretches.Count && IsMerged(stretches[i].Match, stretches[i + 1].Match, behavior))
            {
                i++;
                end = stretches[i].Start + stretches[i].Length;
            }
            yield return (start, end - start);
        }
    }

    static bool IsMerged(bool match, bool nextMatch, SplitBehavior behavior) =>
        behavior switch
        {
            SplitBehavior.MergedWithPrevious => !match && nextMatch,
            SplitBehavior.MergedWithNext => match && !nextMatch,
            SplitBehavior.Contiguous => match == nextMatch,
            _ => false,
        };
}
