using System.Globalization;
using System.Text;

namespace CoPe;

/// <summary>
/// Messages of errors. They carry text of files that anybody may have written, and words of libraries: on one line,
/// without what a terminal would obey, and no longer than a person reads.
/// </summary>
public static class MessageText
{
    /// <summary>Most characters of a message.</summary>
    public const int MaxLength = 1200;

    /// <summary>
    /// The message with every run of white space that holds a line end as one blank, control and format characters as
    /// escapes, and the middle of one that is too long left out.
    /// </summary>
    public static string ToOneLine(string message)
    {
        ArgumentNullException.ThrowIfNull(message);
        var line = new StringBuilder(Math.Min(message.Length, MaxLength));
        foreach (
            var part in message.Split(
                ['\n', '\r'],
                StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries
            )
        )
        {
            line.Append(line.Length > 0 ? " " : "");
            foreach (var rune in part.EnumerateRunes())
            {
                line.Append(Escape(rune));
            }
        }

        return Shorten(line.ToString(), MaxLength);
    }

    /// <summary>A text with its middle left out where it is longer than <paramref name="most"/> characters.</summary>
    public static string Shorten(string text, int most)
    {
        ArgumentNullException.ThrowIfNull(text);
        const string Ellipsis = " ... ";
        ArgumentOutOfRangeException.ThrowIfLessThan(most, Ellipsis.Length + 2);
        if (text.Length <= most)
        {
            return text;
        }

        var head = (most - Ellipsis.Length) * 2 / 3;
        var tail = most - Ellipsis.Length - head;
        head -= char.IsHighSurrogate(text[head - 1]) ? 1 : 0;
        tail -= char.IsLowSurrogate(text[^tail]) ? 1 : 0;
        return text[..head] + Ellipsis + text[^tail..];
    }

    static string Escape(Rune rune) =>
        Rune.GetUnicodeCategory(rune) switch
        {
            _ when rune.Value == '\t' => " ",
            UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate => rune.Value > 0xFFFF
                ? $"\\U{rune.Value:X8}"
                : $"\\u{rune.Value:X4}",
            UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator => " ",
            _ => rune.ToString(),
        };
}
