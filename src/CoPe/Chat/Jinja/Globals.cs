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
        long Bound(int index, long absent) =>
            arguments.Get(index, "", absent) is long bound
                ? bound
                : throw new JinjaException("range needs whole numbers");
        var one = arguments.Positional.Count == 1;
        long start = one ? 0 : Bound(0, 0),
            stop = one ? Bound(0, 0) : Bound(1, 0),
            step = Bound(2, 1);
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
    }

    // Python's strftime in English.
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
            var bare = format[i + 1] == '-' && i + 2 < format.Length; // %-d: without leading zeros
            var code = format[i += bare ? 2 : 1];
            var part = FormatDatePart(now, code) ?? throw new JinjaException($"strftime_now: %{code} is not supported");
            text.Append(
                bare
                    ? part.TrimStart('0') is { Length: > 0 } trimmed
                        ? trimmed
                        : "0"
                    : part
            );
        }
        return text.ToString();
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
