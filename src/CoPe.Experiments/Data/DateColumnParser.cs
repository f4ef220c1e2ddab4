using System.Globalization;
using System.Text.RegularExpressions;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Data;

/// <summary>
/// Reads the dates of one column, which may be of several kinds: ISO 8601 (2024-03-05, with time and zone or without,
/// 2024-03, 2024), day or month first (05.03.2024, 5/3/2024, 3/5/2024 14:30), seconds or milliseconds since 1970, and
/// English words (5 March 2024, March 5, 2024). A date without zone is taken as UTC, a year of two digits as one from
/// 1969 to 2068. The digits may be of any script, and whole numbers may end in <c>.0</c>.
/// </summary>
sealed partial class DateColumnParser
{
    /// <summary>
    /// Numbers of which only one order is in use: ISO 8601, months (3/2024), and the "03 5, 2014" of published reviews.
    /// </summary>
    static readonly string[] UnambiguousFormats =
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

    /// <summary>English, independent of the machine's language and of its reading of two-digit years.</summary>
    static readonly DateTimeFormatInfo English = new() { Calendar = new GregorianCalendar { TwoDigitYearMax = 2068 } };

    readonly bool _isDayFirst;

    /// <summary>Reads all dates first, to decide what 03/04/2024 means.</summary>
    /// <exception cref="DataFileException">The dates contradict each other, or leave the order open.</exception>
    public DateColumnParser(IEnumerable<(DataFileLocation Location, string Text)> dates, DateOrder order) =>
        _isDayFirst = order switch
        {
            DateOrder.Dmy => true,
            DateOrder.Mdy => false,
            _ => DetectIsDayFirst(dates),
        };

    static bool DetectIsDayFirst(IEnumerable<(DataFileLocation Location, string Text)> dates)
    {
        DataFileLocation? ambiguous = null;
        DataFileLocation? dayFirst = null;
        DataFileLocation? monthFirst = null;
        foreach (var (location, text) in dates)
        {
            var match = Numbers().Match(ToAsciiDigits(text).Trim());
            if (!match.Success || match.Groups[2].Value == ".")
            {
                continue;
            }

            var first = int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture);
            var second = int.Parse(match.Groups[3].ValueSpan, CultureInfo.InvariantCulture);
            if (first > 31 || second > 31)
            {
                continue; // no date in either order, so it says nothing about the others
            }

            if (first > 12)
            {
                dayFirst ??= location;
            }
            else if (second > 12)
            {
                monthFirst ??= location;
            }
            else if (first != second)
            {
                ambiguous ??= location;
            }
        }

        if (dayFirst is not null && monthFirst is not null)
        {
            var found = $"a date with the month first, and one with the day first on {dayFirst}";
            throw CreateUnclearError(monthFirst, found);
        }

        if (dayFirst is null && monthFirst is null && ambiguous is not null)
        {
            throw CreateUnclearError(ambiguous, "dates of which day and month cannot be told apart");
        }

        return monthFirst is null;
    }

    /// <summary>The moment of a date; null where it is none.</summary>
    public DateTimeOffset? Parse(string text)
    {
        text = WholeNumber.Shorten(ToAsciiDigits(text).Trim());
        var whole = text.Split('.')[0];
        if (
            whole.Length >= 9
            && long.TryParse(whole, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var unixTime)
        )
        {
            return FromUnixTime(unixTime);
        }

        const DateTimeStyles Styles = DateTimeStyles.AssumeUniversal | DateTimeStyles.AllowWhiteSpaces;
        if (DateTimeOffset.TryParseExact(text, UnambiguousFormats, English, Styles, out var exact))
        {
            return exact;
        }

        var numbers = Numbers().Match(text);
        if (numbers.Success)
        {
            return ParseNumbers(numbers);
        }

        // Without a year in front or a month's name, a date is numbers in an order that .NET's parser would choose by
        // itself.
        var isClear = YearOrMonthName().IsMatch(text);
        return isClear && DateTimeOffset.TryParse(text, English, Styles, out var other) ? other : null;
    }

    /// <summary>
    /// The text with the decimal digits of other scripts, such as the Arabic and Devanagari ones, as 0 to 9.
    /// </summary>
    public static string ToAsciiDigits(string text) =>
        text.All(char.IsAscii) ? text : string.Concat(text.Select(ToAsciiDigit));

    static char ToAsciiDigit(char character)
    {
        var digit = CharUnicodeInfo.GetDecimalDigitValue(character);
        return digit < 0 ? character : (char)('0' + digit);
    }

    DateTimeOffset? ParseNumbers(Match match)
    {
        var (first, second) = (match.Groups[1].Value, match.Groups[3].Value);
        var isDayFirst = _isDayFirst || match.Groups[2].Value == ".";
        var (day, month) = isDayFirst ? (first, second) : (second, first);
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

    static DataFileException CreateUnclearError(DataFileLocation location, string found) =>
        new(location, found, "one order of day and month", "Say which with --date-order dmy or --date-order mdy.");

    /// <summary>
    /// Day, month and year, or month, day and year, behind a weekday or not, with a time behind them or not.
    /// </summary>
    [GeneratedRegex(
        @"^(?:(?i:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*)\.?,? +)?"
            + @"([0-9]{1,2}) *([./-]) *([0-9]{1,2}) *\2 *([0-9]{4}|[0-9]{2}),?([^0-9].*)?$",
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
    /// <summary>Decided by the other dates of the column; refused where they do not decide it.</summary>
    Auto,

    /// <summary>Day first.</summary>
    Dmy,

    /// <summary>Month first.</summary>
    Mdy,
}
