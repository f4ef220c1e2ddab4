using System.Text;

namespace CoPe.Experiments.Tasks;

/// <summary>
/// Words as limits count them: what stands between blanks, and in a script that puts no blanks between words (Chinese,
/// Japanese, Thai) each character with its marks. Texts of other scripts have the words that their blanks make.
/// </summary>
static class WordLimit
{
    /// <summary>How many words a text has.</summary>
    public static int Count(string text) => Count(text, int.MaxValue);

    /// <summary>Characters of the longest word between blanks; one of a script without blanks is never long.</summary>
    public static int MeasureLongest(string text)
    {
        var longest = 0;
        foreach (var range in SplitAtBlanks(text))
        {
            var piece = text.AsSpan(range);
            longest = Math.Max(longest, TextScripts.HasWithoutBlanks(piece) ? 1 : piece.Length);
        }

        return longest;
    }

    /// <summary>
    /// The first words of a text, joined by single spaces where blanks stand; a text with no more words than that stays
    /// as it is.
    /// </summary>
    public static string Truncate(string text, int count)
    {
        if (Count(text, count) <= count)
        {
            return text;
        }

        var kept = new StringBuilder();
        var left = count;
        foreach (var range in SplitAtBlanks(text))
        {
            if (left == 0)
            {
                break;
            }

            var piece = text.AsSpan(range);
            var (words, end) = CountWords(piece, left);
            kept.Append(kept.Length > 0 ? " " : "").Append(piece[..end]);
            left -= words;
        }

        return kept.ToString();
    }

    /// <summary>The count, given up at the first word that is more than so many.</summary>
    static int Count(string text, int most)
    {
        var count = 0;
        foreach (var range in SplitAtBlanks(text))
        {
            count += CountWords(text.AsSpan(range), int.MaxValue).Words;
            if (count > most)
            {
                break;
            }
        }

        return count;
    }

    /// <summary>The words of what stands between blanks, at most so many, and where the last of them ends.</summary>
    static (int Words, int End) CountWords(ReadOnlySpan<char> piece, int most)
    {
        if (!TextScripts.HasWithoutBlanks(piece))
        {
            return (1, piece.Length);
        }

        // Marks and punctuation belong to the word before them.
        var (words, place, isInRun) = (0, 0, false);
        foreach (var rune in piece.EnumerateRunes())
        {
            var isLetter = Rune.IsLetterOrDigit(rune);
            var isAlone = isLetter && TextScripts.IsWithoutBlanks(rune);
            if (isAlone || (isLetter && !isInRun))
            {
                if (words == most)
                {
                    return (words, place);
                }

                words++;
            }

            isInRun = isLetter ? !isAlone : isInRun;
            place += rune.Utf16SequenceLength;
        }

        return (Math.Max(1, words), piece.Length);
    }

    static IEnumerable<Range> SplitAtBlanks(string text)
    {
        var start = -1;
        for (var i = 0; i <= text.Length; i++)
        {
            if (i < text.Length && !char.IsWhiteSpace(text[i]))
            {
                start = start < 0 ? i : start;
            }
            else if (start >= 0)
            {
                yield return start..i;
                start = -1;
            }
        }
    }
}
