using System.Globalization;
using System.Text;

namespace CoPe.Chat.Jinja;

/// <summary>Functions that every template can call.</summary>
static class Globals
{
    const long MaxRange = 100_000;

    public static void AddTo(Scope scope, DateTimeOffset now)
    {
        Add("raise_exception", RaiseException, "message");
        Add("strftime_now", arguments => FormatDate(now, arguments.RequireString(0, "format")), "format");
        scope["namespace"] = new Callable("namespace", CreateNamespace);
        scope["dict"] = new Callable("dict", CreateDict);
        scope["range"] = new Callable("range", CreateRange);

        void Add(string name, Func<Arguments, object?> invoke, params string[] parameters) =>
            scope[name] = Callable.WithParameters(name, invoke, parameters);
    }

    static object? RaiseException(Arguments arguments) =>
        throw new JinjaException(PythonText.Str(arguments.State, arguments.Require(0, "message")));

    static JinjaNamespace CreateNamespace(Arguments arguments)
    {
        var box = new JinjaNamespace();
        foreach (var (key, value) in CreateDict(arguments).Entries)
        {
            box.Attributes[PythonText.Str(arguments.State, key)] = value;
        }

        return box;
    }

    static JinjaDict CreateDict(Arguments arguments)
    {
        if (arguments.Positional.Count > 1)
        {
            throw new JinjaException($"dict expected at most 1 argument, got {arguments.Positional.Count}");
        }

        var dict = new JinjaDict();
        if (arguments.Positional.Count > 0)
        {
            foreach (var (key, value) in GetPairs(arguments))
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

    static IEnumerable<(object? Key, object? Value)> GetPairs(Arguments arguments) =>
        arguments.Positional[0] is JinjaDict given
            ? given.Entries.Select(entry => (entry.Key, entry.Value))
            : Operators
                .Iterate(arguments.State, arguments.Positional[0])
                .Select(pair =>
                    Operators.Iterate(arguments.State, pair) is [var key, var value]
                        ? (key, value)
                        : throw new JinjaException("dict needs pairs of key and value")
                );

    static JinjaRange CreateRange(Arguments arguments)
    {
        arguments.RefuseNamed();
        if (arguments.Positional.Count is 0 or > 3)
        {
            throw new JinjaException($"range expected 1 to 3 arguments, got {arguments.Positional.Count}");
        }

        var hasStopOnly = arguments.Positional.Count == 1;
        var start = hasStopOnly ? 0 : GetWholeNumber(0);
        var stop = GetWholeNumber(hasStopOnly ? 0 : 1);
        var step = arguments.Positional.Count == 3 ? GetWholeNumber(2) : 1;
        if (step == 0)
        {
            throw new JinjaException("range() arg 3 must not be zero");
        }

        var (distance, size) = step > 0 ? ((Int128)stop - start, (Int128)step) : ((Int128)start - stop, -(Int128)step);
        var count = distance <= 0 ? 0 : (distance + size - 1) / size;
        return count <= MaxRange
            ? new JinjaRange(start, step, (int)count) { Stop = stop }
            : throw new JinjaException($"Range too big. The sandbox blocks ranges larger than MAX_RANGE ({MaxRange}).");

        long GetWholeNumber(int index) =>
            Operators.TryNumber(arguments.Positional[index], out _, out var whole) && whole is { } number
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
