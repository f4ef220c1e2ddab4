using System.Globalization;
using System.Numerics;
using System.Text.RegularExpressions;
using Filter = CoPe.Chat.Jinja.ValueFunction<object?>;

namespace CoPe.Chat.Jinja;

/// <summary>The filters of <c>value | filter</c>, with Jinja's parameters.</summary>
static partial class Filters
{
    static readonly Dictionary<string, Filter> All = new(StringComparer.Ordinal)
    {
        ["trim"] = new(static (value, arguments) => Trim(value, arguments), "chars"),
        ["length"] = new(Length),
        ["count"] = new(Length),
        ["string"] = new(ToText),
        ["safe"] = new(static (value, _) => value),
        ["tojson"] = new(ToJson, "ensure_ascii", "indent", "separators", "sort_keys"),
        ["default"] = new(Default, "default_value", "boolean"),
        ["d"] = new(Default, "default_value", "boolean"),
        ["upper"] = new(static (value, arguments) => PythonCase.ToUpper(ToText(value, arguments))),
        ["lower"] = new(static (value, arguments) => PythonCase.ToLower(ToText(value, arguments))),
        ["title"] = new(static (value, arguments) => Title(ToText(value, arguments))),
        ["capitalize"] = new(static (value, arguments) => PythonCase.Capitalize(ToText(value, arguments))),
        ["replace"] = new(
            static (value, arguments) => StringMethods.Replace(ToText(value, arguments), arguments),
            "old",
            "new",
            "count"
        ),
        ["format"] = new(Format, null),
        ["center"] = new(
            static (value, arguments) =>
                StringMethods.Center(ToText(value, arguments), arguments.GetInteger(0, "width") ?? 80),
            "width"
        ),
        ["indent"] = new(Indent, "width", "first", "blank"),
        ["truncate"] = new(Truncate, "length", "killwords", "end", "leeway"),
        ["wordcount"] = new(static (value, arguments) => (long)Word().Count(ToText(value, arguments))),
        ["int"] = new(ToInteger, "default", "base"),
        ["float"] = new(ToFloat, "default"),
        ["abs"] = new(Absolute),
        ["round"] = new(Round, "precision", "method"),
        ["attr"] = new(
            static (value, arguments) => MemberAccess.GetOwnAttribute(value, arguments.RequireString(0, "name")),
            "name"
        ),
    };

    /// <summary>The filter of a name, or null.</summary>
    public static Filter? Find(string name) => All.GetValueOrDefault(name) ?? SequenceFilters.Find(name);

    static string ToText(object? value, Arguments arguments) => PythonText.Str(arguments.State, value);

    static string Trim(object? value, Arguments arguments) =>
        PythonText.Strip(
            ToText(value, arguments),
            arguments.Get(0, "chars") is null ? null : arguments.RequireString(0, "chars")
        );

    static object? Length(object? value, Arguments arguments)
    {
        if (value is string text)
        {
            return (long)TextSearch.CountCodePoints(text);
        }

        if (value is Generator or null or bool or long or double or Callable or JinjaNamespace)
        {
            throw new JinjaException($"object of type '{PythonText.TypeName(value)}' has no len()");
        }

        return value is LoopVariable loop ? loop.Find("length") : (long)Operators.Iterate(arguments.State, value).Count;
    }

    static string ToJson(object? value, Arguments arguments)
    {
        var layout = JsonLayout.Default with
        {
            EnsureAscii = arguments.IsTrue(0, "ensure_ascii"),
            Indent = arguments.Get(1, "indent") as string ?? ToBlanks(arguments.GetInteger(1, "indent")),
            SortKeys = arguments.IsTrue(3, "sort_keys"),
        };
        layout = arguments.Get(2, "separators") switch
        {
            null => layout,
            object?[] or List<object?> => ReadSeparators(),
            _ => throw new JinjaException("separators must be a pair of texts"),
        };
        return JsonText.Write(arguments.State, value, layout);

        static string? ToBlanks(int? width) => width is { } blanks ? new string(' ', Math.Clamp(blanks, 0, 64)) : null;

        JsonLayout ReadSeparators() =>
            Operators.Iterate(arguments.State, arguments.Get(2, "separators")) is [string item, string key]
                ? layout with
                {
                    ItemSeparator = item,
                    KeySeparator = key,
                }
                : throw new JinjaException("separators must be a pair of texts");
    }

    static object? Default(object? value, Arguments arguments)
    {
        var replacesFalse = arguments.IsTrue(1, "boolean");
        var isAbsent = value is Undefined || (replacesFalse && !Operators.IsTrue(value));
        return isAbsent ? arguments.Get(0, "default_value", "") : value;
    }

    /// <summary>The first letter of each word in upper case, the others in lower case.</summary>
    static string Title(string text) =>
        string.Concat(
            WordStart()
                .Split(text)
                .Where(part => part.Length > 0)
                .Select(part =>
                {
                    var first = part.EnumerateRunes().First().ToString();
                    return PythonCase.ToUpper(first) + PythonCase.ToLower(part[first.Length..]);
                })
        );

    static string Format(object? value, Arguments arguments)
    {
        if (arguments.Positional.Count > 0 && arguments.Named.Count > 0)
        {
            throw new JinjaException("can't handle positional and keyword arguments at the same time");
        }

        object? values = arguments.Positional.ToArray();
        if (arguments.Named.Count > 0)
        {
            var dict = new JinjaDict();
            foreach (var (name, given) in arguments.Named)
            {
                dict[name] = given;
            }

            values = dict;
        }

        return PercentFormat.Format(arguments.State, ToText(value, arguments), values);
    }

    static string Indent(object? value, Arguments arguments)
    {
        var indentation =
            arguments.Get(0, "width") as string
            ?? new string(' ', Math.Clamp(arguments.GetInteger(0, "width") ?? 4, 0, 1000));
        var indentsFirst = arguments.IsTrue(1, "first");
        var indentsBlank = arguments.IsTrue(2, "blank");
        // A text that ends with a line end has an empty last line, which stays.
        var lines = PythonText.SplitLines(ToText(value, arguments) + "\n");
        var indented = lines.Select(
            (line, i) =>
            {
                var isIndented = i == 0 ? indentsFirst : indentsBlank || line.Length > 0;
                return isIndented ? indentation + line : line;
            }
        );
        return RenderState.Join("\n", indented);
    }

    static string Truncate(object? value, Arguments arguments)
    {
        const int DefaultLeeway = 5;
        var text = ToText(value, arguments);
        var length = arguments.GetInteger(0, "length") ?? 255;
        var end = PythonText.Str(arguments.State, arguments.Get(2, "end", "..."));
        var endLength = TextSearch.CountCodePoints(end);
        var leeway = arguments.GetInteger(3, "leeway") ?? DefaultLeeway;
        if (length < endLength || leeway < 0)
        {
            throw new JinjaException($"truncate needs a length of at least {endLength} and a leeway from 0 on");
        }

        if (TextSearch.CountCodePoints(text) <= length + (long)leeway)
        {
            return text;
        }

        var kept = string.Concat(text.EnumerateRunes().Take(length - endLength).Select(rune => rune.ToString()));
        var lastBlank = kept.LastIndexOf(' ');
        return (arguments.IsTrue(1, "killwords") || lastBlank < 0 ? kept : kept[..lastBlank]) + end;
    }

    static object? Absolute(object? value, Arguments arguments)
    {
        if (!Operators.TryNumber(value, out var number, out var whole))
        {
            throw new JinjaException($"bad operand type for abs(): '{PythonText.TypeName(value)}'");
        }

        return whole switch
        {
            null => Math.Abs(number),
            < 0 => Operators.Negate(whole),
            _ => whole,
        };
    }

    static object? Round(object? value, Arguments arguments)
    {
        if (!Operators.TryNumber(value, out var number, out var whole))
        {
            throw new JinjaException($"type {PythonText.TypeName(value)} doesn't define __round__ method");
        }

        var places = arguments.GetInteger(0, "precision") ?? 0;
        var method = arguments.Get(1, "method", "common") as string;
        if (method == "common")
        {
            return whole is { } integer ? Arithmetic.Round(integer, places) : (object)Arithmetic.Round(number, places);
        }

        var scale = Math.Pow(10, places);
        return method switch
        {
            "ceil" => Math.Ceiling(number * scale) / scale,
            "floor" => Math.Floor(number * scale) / scale,
            _ => throw new JinjaException("method must be common, ceil or floor"),
        };
    }

    static object? ToInteger(object? value, Arguments arguments)
    {
        var fallback = arguments.Get(0, "default", 0L);
        if (Operators.TryNumber(value, out var number, out var whole))
        {
            return whole ?? (double.IsFinite(number) ? Arithmetic.Truncate(number) : fallback);
        }

        if (value is not string text)
        {
            return fallback;
        }

        return ParseInteger(text, arguments.GetInteger(1, "base") ?? 10)
            ?? (TryParseFloat(text, out number) && double.IsFinite(number) ? Arithmetic.Truncate(number) : fallback);
    }

    /// <summary>Python's <c>int(text, base)</c>; null where the text is no whole number.</summary>
    static long? ParseInteger(string text, int numberBase)
    {
        if (numberBase is not (0 or (>= 2 and <= 36)))
        {
            return null;
        }

        var digits = PythonText.Strip(text);
        var isNegative = digits.StartsWith('-');
        digits = digits is ['+' or '-', .. var unsigned] ? unsigned : digits;
        (digits, numberBase) = SplitPrefix(digits, numberBase);
        if (!Digits().IsMatch(digits))
        {
            return null;
        }

        var number = BigInteger.Zero;
        foreach (var c in digits.Where(c => c != '_'))
        {
            var digit = char.IsAsciiDigit(c) ? c - '0' : char.ToLowerInvariant(c) - 'a' + 10;
            if (digit >= numberBase || number > long.MaxValue)
            {
                return digit >= numberBase ? null : throw TooLarge();
            }

            number = (number * numberBase) + digit;
        }

        number = isNegative ? -number : number;
        return number >= long.MinValue && number <= long.MaxValue ? (long)number : throw TooLarge();

        JinjaException TooLarge() => new($"the number {text[..Math.Min(text.Length, 40)]} is too large");
    }

    static (string Digits, int Base) SplitPrefix(string digits, int numberBase)
    {
        var prefixed = digits is ['0', var letter, .. var rest]
            ? (
                char.ToLowerInvariant(letter) switch
                {
                    'x' => 16,
                    'o' => 8,
                    'b' => 2,
                    _ => 0,
                },
                rest.TrimStart('_')
            )
            : (0, "");
        if (prefixed.Item1 != 0 && (numberBase == 0 || numberBase == prefixed.Item1))
        {
            return (prefixed.Item2, prefixed.Item1);
        }

        // Without a prefix, only zero may begin with a zero.
        var isAmbiguous = numberBase == 0 && digits.StartsWith('0') && digits.Any(c => c is not ('0' or '_'));
        return (isAmbiguous ? "" : digits, numberBase == 0 ? 10 : numberBase);
    }

    static object? ToFloat(object? value, Arguments arguments)
    {
        if (Operators.TryNumber(value, out var number, out _))
        {
            return number;
        }

        return value is string text && TryParseFloat(text, out number) ? number : arguments.Get(0, "default", 0.0);
    }

    static bool TryParseFloat(string text, out double number)
    {
        var digits = PythonText.Strip(text);
        number = PythonCase.ToLower(digits).TrimStart('+', '-') switch
        {
            "inf" or "infinity" => digits.StartsWith('-') ? double.NegativeInfinity : double.PositiveInfinity,
            "nan" => double.NaN,
            _ => 0,
        };
        return number != 0
            || (
                FloatDigits().IsMatch(digits)
                && double.TryParse(
                    digits.Replace("_", "", StringComparison.Ordinal),
                    NumberStyles.Float,
                    CultureInfo.InvariantCulture,
                    out number
                )
            );
    }

    [GeneratedRegex(@"([-\s({\[<]+)")]
    private static partial Regex WordStart();

    [GeneratedRegex(@"\w+")]
    private static partial Regex Word();

    [GeneratedRegex(@"^[0-9A-Za-z]+(_[0-9A-Za-z]+)*\z")]
    private static partial Regex Digits();

    [GeneratedRegex(@"^[+-]?(\d+(_\d+)*)?\.?(\d+(_\d+)*)?([eE][+-]?\d+(_\d+)*)?\z", RegexOptions.ECMAScript)]
    private static partial Regex FloatDigits();
}
