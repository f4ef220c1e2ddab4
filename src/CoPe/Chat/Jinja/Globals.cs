using System.Globalization;
using System.Text;

namespace CoPe.Chat.Jinja;

/// <summary>Functions that every template can call.</summary>
static class Globals
{
    const long MaxRange = 100_000;

    public static void AddTo(Scope scope, DateTimeOffset now)
    {
        scope["raise_exception"] = new Callable(
            "raise_exception",
            arguments => throw new JinjaException(PythonText.Str(arguments.Require(0, "message")))
        );
        scope["strftime_now"] = new Callable(
            "strftime_now",
            arguments => FormatDate(now, arguments.RequireString(0, "format"))
        );
        scope["namespace"] = new Callable("namespace", CreateNamespace);
        scope["dict"] = new Callable("dict", arguments => CreateDict(arguments));
        scope["range"] = new Callable("range", CreateRange);
    }

    static JinjaNamespace CreateNamespace(Arguments arguments)
    {
        var box = new JinjaNamespace();
        foreach (var (key, value) in CreateDict(arguments).Entries)
        {
            box.Attributes[PythonText.Str(key)] = value;
        }

        return box;
    }

    static JinjaDict CreateDict(Arguments arguments)
    {
        var dict = new JinjaDict();
        if (arguments.Get(0, "mapping") is JinjaDict given)
        {
            foreach (var (key, value) in given.Entries)
            {
                dict.Set(key, value);
            }
        }

        foreach (var (name, value) in arguments.Named)
        {
            dict[name] = value;
        }

        return dict;
    }

    static List<object?> CreateRange(Arguments arguments)
    {
        var hasStopOnly = arguments.Positional.Count == 1;
        var start = hasStopOnly ? 0 : GetWholeNumber(0, 0);
        var stop = GetWholeNumber(hasStopOnly ? 0 : 1, 0);
        var step = GetWholeNumber(2, 1);
        if (step == 0)
        {
            throw new JinjaException("range() arg 3 must not be zero");
        }

        var values = new List<object?>();
        for (var value = start; step > 0 ? value < stop : value > stop; value += step)
        {
            if (values.Count == MaxRange)
            {
                throw new JinjaException(
                    $"Range too big. The sandbox blocks ranges larger than MAX_RANGE ({MaxRange})."
                );
            }

            values.Add(value);
        }

        return values;

        long GetWholeNumber(int index, long defaultValue) =>
            arguments.Get(index, "", defaultValue) is long number
                ? number
                : throw new JinjaException("range needs whole numbers");
    }

    /// <summary>Python's strftime in English.</summary>
    static string FormatDate(DateTimeOffset now, string format)
    {
        var text = new StringBuilder();
        for (var i = 0; i < format.Length; i++)
        {
            if (format[i] != '%' || i + 1 == format.Length)
            {
                text.Append(format[i]);
                continue;
            }

            // %-d is %d without leading zeros.
            var isTrimmed = format[i + 1] == '-' && i + 2 < format.Length;
            i += isTrimmed ? 2 : 1;
            var code = format[i];
            var part = FormatDatePart(now, code) ?? throw new JinjaException($"strftime_now: %{code} is not supported");
            text.Append(isTrimmed ? TrimZeros(part) : part);
        }

        return text.ToString();
    }

    static string TrimZeros(string number)
    {
        var trimmed = number.TrimStart('0');
        return trimmed.Length > 0 ? trimmed : "0";
    }

    static string? FormatDatePart(DateTimeOffset now, char code)
    {
        var pattern = code switch
        {
            'd' => "dd",
            'm' => "MM",
            'y' => "yy",
            'Y' => "yyyy",
            'b' => "MMM",
            'B' => "MMMM",
            'a' => "ddd",
            'A' => "dddd",
            'H' => "HH",
            'I' => "hh",
            'M' => "mm",
            'S' => "ss",
            'p' => "tt",
            'F' => "yyyy-MM-dd",
            'T' => "HH:mm:ss",
            'f' => "ffffff",
            _ => null,
        };
        if (pattern is not null)
        {
            return now.ToString(pattern, CultureInfo.InvariantCulture);
        }

        return code switch
        {
            '%' => "%",
            'j' => now.DayOfYear.ToString("000", CultureInfo.InvariantCulture),
            _ => null,
        };
    }
}
