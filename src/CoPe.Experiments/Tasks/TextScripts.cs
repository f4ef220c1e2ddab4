using System.Text;

namespace CoPe.Experiments.Tasks;

/// <summary>What the scripts of a text mean for counting its words.</summary>
static class TextScripts
{
    /// <summary>
    /// Whether most letters are none of a to z: what counts words in these alone, as ROUGE's own tokenizer does, sees
    /// nothing of such a text.
    /// </summary>
    public static bool IsMostlyBeyondAscii(string text)
    {
        var (ascii, other) = (0, 0);
        foreach (var rune in text.EnumerateRunes())
        {
            if (Rune.IsLetter(rune))
            {
                ascii += rune.IsAscii ? 1 : 0;
                other += rune.IsAscii ? 0 : 1;
            }
        }

        return other > ascii;
    }

    /// <summary>Whether a text has a letter of a script that puts no blanks between words.</summary>
    public static bool HasWithoutBlanks(ReadOnlySpan<char> text)
    {
        // All of them lie far above the letters of most texts.
        var first = text.IndexOfAnyInRange('\u0E00', '\uFFFF');
        if (first < 0)
        {
            return false;
        }

        foreach (var rune in text[first..].EnumerateRunes())
        {
            if (IsWithoutBlanks(rune))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// Whether a letter is of a script that puts no blanks between words: Chinese, Japanese, Thai, Lao, Burmese, Khmer.
    /// </summary>
    public static bool IsWithoutBlanks(Rune letter) =>
        letter.Value
            is (>= 0x0E00 and <= 0x0EFF)
                or (>= 0x1000 and <= 0x109F)
                or (>= 0x1780 and <= 0x17FF)
                or (>= 0x3005 and <= 0x30FF)
                or (>= 0x31F0 and <= 0x31FF)
                or (>= 0x3400 and <= 0x4DBF)
                or (>= 0x4E00 and <= 0x9FFF)
                or (>= 0xF900 and <= 0xFAFF)
                or (>= 0xFF66 and <= 0xFF9F)
                or (>= 0x20000 and <= 0x3FFFF);
}
