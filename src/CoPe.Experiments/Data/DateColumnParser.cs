using System.Globalization;
using System.Text.RegularExpressions;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Data;

/// <summary>
/// Reads the dates of one column, which may be of several kinds: ISO 8601 (2024-03-05, with time and zone or without,
/// 2024-03, 2024), day or month first (05.03.2024, 5/3/2024, 3/5/2024 14:30),
/// seconds or milliseconds since 1970, and English words (5 March 2024, March 5, 2024). A date without zone is taken as
/// UTC, a year of two digits as one from 1969 to 2068. The digits may be of any script.
/// </summary>
sealed partial class DateColumnParser
{
    /// <summary>
    /// Numbers of which only one order is in use: ISO 8601, months (3/2024), and the "03 5, 2014" of published reviews.
    /// </summary>
    static readonly string[] OfOneOrder =
    [
        "yyyy-MM-dd",
        "yyyy/MM/dd",
        "yyyy.MM.dd",
        "yyyyMMdd",
        "yyyy-MM",
        "yyyy",
        "M/yyyy",
        "M.yyyy",
        "M-yyyy",
        "M d, yyyy",
    ];

    /// <summary>English, whatever the machine's language, and whatever it takes years of two digits for.</summary>
    static readonly DateTimeFormatInfo English = new() { Calendar = new GregorianCalendar { TwoDigitYearMax = 2068 } };

    readonly bool _isDayFirst;

    /// <summary>Looks at all dates first, to tell what 03/04/2024 means.</summary>
    public DateColumnParser(IEnumerable<(DataFileLocation Place, string Text)> all, DateOrder order)
    {
        DataFileLocation? open = null,
            dayFirst = null,
            monthFirst = null;
        foreach (var (place, text) in all)
        {
            if (
                Numbers().Match(ToAsciiDigits(text).Trim()) is not { Success: true } match
                || match.Groups[2].Value == "."
            )
            {
                continue;
            }

            var (first, second) = (
                int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture),
                int.Parse(match.Groups[3].ValueSpan, CultureInfo.InvariantCulture)
            );
            if (first > 31 || second > 31)
            {
                continue; // no date, so it tells nothing of the others
            }

            if (first > 12)
            {
                dayFirst ??= place;
            }
            else if (second > 12)
            {
                monthFirst ??= place;
            }
            else if (first != second)
            {
                open ??= place;
            }
        }

        _isDayFirst = order switch
        {
            DateOrder.Dmy => true,
            DateOrder.Mdy => false,
            _ when dayFirst is not null && monthFirst is not null => throw Unclear(
                monthFirst,
                $"a date with the month first, and one with the day first on {dayFirst}"
            ),
            _ when dayFirst is null && monthFirst is null && open is not null => throw Unclear(
                open,
                "dates of which day and month cannot be told apart"
            ),
            _ => monthFirst is null,
        };
    }

    /// <summary>The moment of a date; null where it is none.</summary>
    public DateTimeOffset? Parse(string text)
    {
        text = ToAsciiDigits(text).Trim();
        if (
            text.Split('.')[0] is { Length: >= 9 } whole
            && long.TryParse(whole, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var ticks)
        )
        {
            return FromUnixTime(ticks);
        }

        const DateTimeStyles Styles = DateTimeStyles.AssumeUniversal | DateTimeStyles.AllowWhiteSpaces;
        if (DateTimeOffset.TryParseExact(text, OfOneOrder, English, Styles, out var exact))
        {
            return exact;
        }

        if (Numbers().Match(text) is { Success: true } match)
        {
            return ParseNumbers(match);
        }
        // Without a year in front or a month's name, a date is numbers in an order that the parser would choose by
        // itself.
        return YearOrMonthName().IsMatch(text) && DateTimeOffset.TryParse(text, English, Styles, out var other)
            ? other
            : null;
    }

    /// <summary>
    /// The text with the decimal digits of other scripts, such as the Arabic and Devanagari ones, as 0 to 9.
    /// </summary>
    public static string ToAsciiDigits(string text) =>
        text.All(char.IsAscii)
            ? text
            : string.Concat(
                text.Select(sign =>
                    CharUnicodeInfo.GetDecimalDigitValue(sign) is >= 0 and var digit ? (char)('0' + digit) : sign
                )
            );

    DateTimeOffset? ParseNumbers(Match match)
    {
        var dayFirstHere = _isDayFirst || match.Groups[2].Value == ".";
        var (day, month) = dayFirstHere
            ? (match.Groups[1].Value, match.Groups[3].Value)
            : (match.Groups[3].Value, match.Groups[1].Value);
        var year = match.Groups[4].Value;
        if (year.Length == 2)
        {
            year = English
                .Calendar.ToFourDigitYear(int.Parse(year, CultureInfo.InvariantCulture))
                .ToString(CultureInfo.InvariantCulture);
        }

        var iso = $"{year}-{month.PadLeft(2, '0')}-{day.PadLeft(2, '0')}{match.Groups[5].Value}";
        return DateTimeOffset.TryParse(iso, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var date)
            ? date
            : null;
    }

    static DateTimeOffset? FromUnixTime(long number)
    {
        var milliseconds = Math.Abs(number) >= 100_000_000_000 ? number : number * 1000;
        return Math.Abs(milliseconds) < 250_000_000_000_000
            ? DateTimeOffset.FromUnixTimeMilliseconds(milliseconds)
            : null;
    }

    static DataFileException Unclear(DataFileLocation place, string found) =>
        new(place, found, "one order of day and month", "Say which with --date-order dmy or --date-order mdy.");

    /// <summary>
    /// Day, month and year, or month, day and year, behind a weekday or not, with a time behind them or not.
    /// </summary>
    [GeneratedRegex(
        @"^(?:(?i:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*)\.?,? +)?([0-9]{1,2}) *([./-]) *([0-9]{1,2}) *\2 *([0-9]{4}|[0-9]{2}),?([^0-9].*)?$",
        RegexOptions.CultureInvariant
    )]
    private static partial Regex Numbers();

    [GeneratedRegex(
        "^[0-9]{4}[^0-9]|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant
    )]
    private static partial Regex YearOrMonthName();
}

/// <summary>How a date with slashes, such as 03/04/2024, is meant.</summary>
public enum DateOrder
{
    /// <summary>Told by the other dates of the column; refused where they do not tell.</summary>
    Auto,

    /// <summary>Day first.</summary>
    Dmy,

    /// <summary>Month first.</summary>
    Mdy,
}
