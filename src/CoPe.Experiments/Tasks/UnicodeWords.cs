using System.Globalization;
using System.Text;

namespace CoPe.Experiments.Tasks;

/// <summary>
/// Words of any script: runs of letters, their marks, and digits, in lower case; where a script puts no blanks between
/// words, each character. On text of a to z and 0 to 9 these are the words of ROUGE's own tokenizer.
/// </summary>
static class UnicodeWords
{
    public static List<string> Split(string text)
    {
        var words = new List<string>();
        var word = new StringBuilder();
        var isAlone = false;
        foreach (var rune in text.EnumerateRunes())
        {
            var isMark = IsMark(rune) && word.Length > 0;
            var isWithoutBlanks = !isMark && TextScripts.IsWithoutBlanks(rune);
            if (!isMark && (isAlone || isWithoutBlanks || !Rune.IsLetterOrDigit(rune)))
            {
                End();
            }

            if (isMark || Rune.IsLetterOrDigit(rune))
            {
                word.Append(Rune.ToLowerInvariant(rune).ToString());
                isAlone = isWithoutBlanks || (isMark && isAlone);
            }
        }

        End();
        return words;

        void End()
        {
            if (word.Length > 0)
            {
                words.Add(word.ToString());
                word.Clear();
            }

            isAlone = false;
        }
    }

    static bool IsMark(Rune rune) =>
        Rune.GetUnicodeCategory(rune)
            is UnicodeCategory.NonSpacingMark
                or UnicodeCategory.SpacingCombiningMark
                or UnicodeCategory.EnclosingMark;
}
