using Spectre.Console;

namespace CoPe.Cli.Terminal;

/// <summary>
/// Text that a terminal shows and does not obey. Ids, file names, error messages and what a model writes come from
/// outside and may hold escape sequences, which set the title, write to the clipboard or clear the screen.
/// </summary>
static class TerminalText
{
    /// <summary>
    /// The text without control characters (C0, DEL, C1) other than line breaks and tabs: of an escape sequence the
    /// harmless letters stay.
    /// </summary>
    public static string RemoveControls(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var first = FindControl(text);
        if (first < 0)
        {
            return text;
        }

        var kept = new char[text.Length];
        text.CopyTo(0, kept, 0, first);
        var count = first;
        for (var i = first; i < text.Length; i++)
        {
            if (!IsControl(text, i))
            {
                kept[count++] = text[i];
            }
        }

        return new string(kept, 0, count);
    }

    /// <summary>
    /// The text as markup of Spectre.Console that shows it as it is. Control characters are removed before anything is
    /// laid out, since they would count as columns.
    /// </summary>
    public static string ToMarkup(string text) => Markup.Escape(RemoveControls(text));

    static int FindControl(ReadOnlySpan<char> text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (IsControl(text, i))
            {
                return i;
            }
        }

        return -1;
    }

    /// <summary>A carriage return counts as well, except before a line feed: alone it overwrites the line.</summary>
    static bool IsControl(ReadOnlySpan<char> text, int index) =>
        text[index] switch
        {
            '\n' or '\t' => false,
            '\r' => index + 1 == text.Length || text[index + 1] != '\n',
            var letter => char.IsControl(letter),
        };
}
