using System.Buffers;
using System.Globalization;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Data.Checking;

/// <summary>Faults that show in a single text.</summary>
static class TextFaults
{
    /// <summary>Words from which a text without a final mark seems to be cut.</summary>
    const int LongText = 40;

    static readonly SearchValues<char> OddCharacters = SearchValues.Create([
        .. Enumerable.Range(0, 0xA0).Select(code => (char)code).Where(IsControl),
        '\ufffd',
    ]);

    static readonly string[] CutMarks = ["...", "\u2026", "[truncated]", "(more)", "[...]", "read more"];

    /// <summary>What is wrong with the characters; null where nothing is.</summary>
    public static string? DescribeOddCharacters(string text)
    {
        if (!text.AsSpan().ContainsAny(OddCharacters))
        {
            return null;
        }

        var control = text.Count(IsControl);
        var replaced = text.Count(letter => letter == '\ufffd');
        if (control == 0 && replaced == 0)
        {
            return null;
        }

        var kind = text.Contains('\0') ? "null or control characters" : "control characters";
        return string.Join(" and ", DescribeCounts(control, kind, replaced));
    }

    /// <summary>The length of the longest word, where it is longer than a page; null where none is.</summary>
    public static string? DescribeLongWord(string text)
    {
        const int Page = 2000;
        if (text.Length <= Page)
        {
            return null;
        }

        var longest = WordLimit.MeasureLongest(text);
        return longest > Page ? string.Create(CultureInfo.InvariantCulture, $"{longest:#,0} characters") : null;
    }

    /// <summary>The text without control characters; line breaks and tabs stay.</summary>
    public static string RemoveControlCharacters(string text) =>
        text.AsSpan().ContainsAny(OddCharacters) ? string.Concat(text.Where(letter => !IsControl(letter))) : text;

    /// <summary>Why a text seems to be cut; null where it does not.</summary>
    public static string? DescribeCut(string text)
    {
        var end = text.AsSpan().TrimEnd();
        foreach (var mark in CutMarks)
        {
            if (end.EndsWith(mark, StringComparison.OrdinalIgnoreCase))
            {
                return $"it ends in \"{mark}\"";
            }
        }

        // Scripts without blanks put no final mark either, or another one.
        var words = WordLimit.Count(text);
        if (words < LongText || end.Length == 0 || TextScripts.HasWithoutBlanks(end[^1..]))
        {
            return null;
        }

        var endsInSentence = char.IsLetterOrDigit(end[^1]) || end[^1] is ',' or '-';
        return endsInSentence ? $"{words} words that end in the middle of a sentence" : null;
    }

    static bool IsControl(char letter) => char.IsControl(letter) && letter is not ('\n' or '\r' or '\t');

    static IEnumerable<string> DescribeCounts(int control, string kind, int replaced)
    {
        if (control > 0)
        {
            yield return $"{control} {kind}";
        }

        if (replaced > 0)
        {
            yield return $"{replaced} replacement characters (U+FFFD), left by a wrong encoding";
        }
    }
}
