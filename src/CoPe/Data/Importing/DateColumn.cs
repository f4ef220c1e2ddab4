using System.Globalization;
using System.Text.RegularExpressions;

namespace CoPe.Data.Importing;

/// <summary>
/// Reads the dates of one column, which may be of several kinds: ISO 8601 (2024-03-05, with time and zone or without, 2024-03, 2024), day or month first (05.03.2024, 5/3/2024, 3/5/2024 14:30),
/// seconds or milliseconds since 1970, and English words (5 March 2024, March 5, 2024). A date without zone is taken as UTC.
/// </summary>
sealed partial class DateColumn
{
    static readonly string[] Iso = ["yyyy-MM-dd", "yyyy/MM/dd", "yyyy.MM.dd", "yyyyMMdd", "yyyy-MM", "yyyy"];

    readonly bool isDayFirst;

    /// <summary>Looks at all dates first, to tell what 03/04/2024 means.</summary>
    public DateColumn(IEnumerable<(DataFilePlace Place, string Text)> all, DateOrder order)
    {
        DataFilePlace? open = null, dayFirst = null, monthFirst = null;
        foreach (var (place, text) in all)
        {
            if (Numbers().Match(text.Trim()) is not { Success: true } match || match.Groups[2].Value == ".") continue;
            var (first, second) = (int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture), int.Parse(match.Groups[3].ValueSpan, CultureInfo.InvariantCulture));
            if (first > 12) dayFirst ??= place;
            else if (second > 12) monthFirst ??= place;
            else if (first != second) open ??= place;
        }

        isDayFirst = order switch
        {
            DateOrder.Dmy => true,
            DateOrder.Mdy => false,
            _ when dayFirst is not null && monthFirst is not null => throw Unclear(monthFirst, $"a date with the month first, and one with the day first on {dayFirst}"),
            _ when dayFirst is null && monthFirst is null && open is not null => throw Unclear(open, "dates of which day and month cannot be told apart"),
            _ => monthFirst is null,
        };
    }

    /// <summary>The moment of a date; null where it is none.</summary>
    public DateTimeOffset? Of(string text)
    {
        text = text.Trim();
        if (text.Split('.')[0] is { Length: >= 9 } whole && long.TryParse(whole, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var ticks)) return Since1970(ticks);
        const DateTimeStyles Styles = DateTimeStyles.AssumeUniversal | DateTimeStyles.AllowWhiteSpaces;
        if (DateTimeOffset.TryParseExact(text, Iso, CultureInfo.InvariantCulture, Styles, out var iso)) return iso;
        if (Numbers().Match(text) is { Success: true } match) return OfNumbers(match);
        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, Styles, out var other) ? other : null;
    }

    DateTimeOffset? OfNumbers(Match match)
    {
        var dayFirstHere = isDayFirst || match.Groups[2].Value == ".";
        var (day, month) = dayFirstHere ? (match.Groups[1].Value, match.Groups[3].Value) : (match.Groups[3].Value, match.Groups[1].Value);
        var iso = $"{match.Groups[4].Value}-{month.PadLeft(2, '0')}-{day.PadLeft(2, '0')}{match.Groups[5].Value}";
        return DateTimeOffset.TryParse(iso, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var date) ? date : null;
    }

    static DateTimeOffset? Since1970(long number)
    {
        var milliseconds = Math.Abs(number) >= 100_000_000_000 ? number : number * 1000;
        return Math.Abs(milliseconds) < 250_000_000_000_000 ? DateTimeOffset.FromUnixTimeMilliseconds(milliseconds) : null;
    }

    static DataFileException Unclear(DataFilePlace place, string found) => new(place, found, "one order of day and month", "Say which with --date-order dmy or --date-order mdy.");

    [GeneratedRegex(@"^(\d{1,2})([./-])(\d{1,2})\2(\d{4})(\D.*)?$")]
    private static partial Regex Numbers();
}
