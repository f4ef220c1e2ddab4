using System.Text;

namespace CoPe.Chat.Jinja;

/// <summary>Python's operators on values.</summary>
static class Operators
{
    public static bool IsTrue(object? value) =>
        value switch
        {
            null or Undefined => false,
            bool flag => flag,
            long number => number != 0,
            double number => number != 0,
            string text => text.Length > 0,
            List<object?> list => list.Count > 0,
            object?[] tuple => tuple.Length > 0,
            JinjaDict dict => dict.Count > 0,
            _ => true,
        };

    /// <summary>A number, or a boolean as 0 or 1; <paramref name="whole"/> holds it where it is no float.</summary>
    public static bool TryNumber(object? value, out double number, out long? whole)
    {
        whole = value switch
        {
            bool flag => flag ? 1 : 0,
            long integer => integer,
            _ => null,
        };
        number = whole ?? (value is double real ? real : 0);
        return whole is not null || value is double;
    }

    public static object? Binary(string symbol, object? left, object? right)
    {
        ThrowIfUndefined(left);
        ThrowIfUndefined(right);
        if (TryNumber(left, out var a, out var wholeLeft) && TryNumber(right, out var b, out var wholeRight))
        {
            return wholeLeft is { } x && wholeRight is { } y
                ? IntegerArithmetic(symbol, x, y)
                : FloatArithmetic(symbol, a, b);
        }

        return (symbol, left, right) switch
        {
            ("+", string first, string second) => Concat(first, second),
            ("+", List<object?> first, List<object?> second) => Concat(first, second).ToList(),
            ("+", object?[] first, object?[] second) => Concat(first, second).ToArray(),
            ("+", string, _) => throw new JinjaException(
                $"can only concatenate str (not \"{PythonText.TypeName(right)}\") to str"
            ),
            ("*", string text, long times) => Repeat(text, times),
            ("*", long times, string text) => Repeat(text, times),
            ("%", string, _) => throw new JinjaException("the % operator on text is not supported; use ~ or +"),
            _ => throw new JinjaException($"unsupported operand type(s) for {symbol}: {DescribeTypes(left, right)}"),
        };
    }

    static string DescribeTypes(object? left, object? right) =>
        $"'{PythonText.TypeName(left)}' and '{PythonText.TypeName(right)}'";

    public static string Concat(string first, string second) =>
        first.Length + second.Length <= RenderState.MaxTextLength ? first + second : throw RenderState.LimitExceeded();

    static IEnumerable<object?> Concat(IReadOnlyCollection<object?> first, IReadOnlyCollection<object?> second) =>
        first.Count + second.Count <= RenderState.MaxItems ? first.Concat(second) : throw RenderState.LimitExceeded();

    static string Repeat(string text, long times)
    {
        if (times <= 0 || text.Length == 0)
        {
            return "";
        }

        if (times > RenderState.MaxTextLength / text.Length)
        {
            throw RenderState.LimitExceeded();
        }

        return new StringBuilder().Insert(0, text, (int)times).ToString();
    }

    static object IntegerArithmetic(string symbol, long x, long y)
    {
        if (y == 0 && (symbol is "/" or "//" or "%"))
        {
            throw new JinjaException("division by zero");
        }

        try
        {
            return symbol switch
            {
                "+" => (object)checked(x + y),
                "-" => checked(x - y),
                "*" => checked(x * y),
                "/" => (double)x / y,
                "//" => checked((x / y) - (x % y != 0 && (x < 0) != (y < 0) ? 1 : 0)),
                "%" => y == -1 ? 0L : ((x % y) + y) % y,
                _ => y < 0 ? (object)Math.Pow(x, y) : Power(x, y),
            };
        }
        catch (OverflowException)
        {
            throw new JinjaException($"{x} {symbol} {y} is too large");
        }
    }

    // Any other base overflows within 63 steps.
    static long Power(long x, long y)
    {
        if (x is 0 or 1 || y == 0)
        {
            return y == 0 ? 1 : x;
        }

        if (x == -1)
        {
            return y % 2 == 0 ? 1 : -1;
        }

        var result = 1L;
        for (; y > 0; y--)
        {
            result = checked(result * x);
        }

        return result;
    }

    static double FloatArithmetic(string symbol, double x, double y) =>
        symbol switch
        {
            "+" => x + y,
            "-" => x - y,
            "*" => x * y,
            "/" or "//" or "%" when y == 0 => throw new JinjaException("float division by zero"),
            "/" => x / y,
            "//" => Math.Floor(x / y),
            "%" => x - (y * Math.Floor(x / y)),
            _ => Math.Pow(x, y),
        };

    public static object Negate(object? value)
    {
        ThrowIfUndefined(value);
        if (!TryNumber(value, out var number, out var whole))
        {
            throw new JinjaException($"bad operand type for unary -: '{PythonText.TypeName(value)}'");
        }

        return whole is { } integer ? (object)-integer : -number;
    }

    public static bool AreEqual(object? left, object? right)
    {
        if (TryNumber(left, out var a, out _) && TryNumber(right, out var b, out _))
        {
            return a.Equals(b);
        }

        return (left, right) switch
        {
            (Undefined, Undefined) => true,
            (List<object?> x, List<object?> y) => x.Count == y.Count
                && x.Zip(y).All(pair => AreEqual(pair.First, pair.Second)),
            (object?[] x, object?[] y) => x.Length == y.Length
                && x.Zip(y).All(pair => AreEqual(pair.First, pair.Second)),
            (JinjaDict x, JinjaDict y) => x.Count == y.Count
                && x.Entries.All(entry => y.TryGet(entry.Key, out var other) && AreEqual(entry.Value, other)),
            _ => Equals(left, right),
        };
    }

    public static bool Compare(string symbol, object? left, object? right)
    {
        switch (symbol)
        {
            case "==":
                return AreEqual(left, right);
            case "!=":
                return !AreEqual(left, right);
            case "in":
                return Contains(right, left);
            case "not in":
                return !Contains(right, left);
        }

        var order = CompareOrder(left, right, symbol);
        return symbol switch
        {
            "<" => order < 0,
            "<=" => order <= 0,
            ">" => order > 0,
            _ => order >= 0,
        };
    }

    /// <summary>Which of two values comes first.</summary>
    public static int CompareOrder(object? left, object? right, string symbol = "<")
    {
        ThrowIfUndefined(left);
        ThrowIfUndefined(right);
        if (TryNumber(left, out var a, out _) && TryNumber(right, out var b, out _))
        {
            return a.CompareTo(b);
        }

        if (left is string x && right is string y)
        {
            return string.CompareOrdinal(x, y);
        }

        throw new JinjaException($"'{symbol}' not supported between instances of {DescribeTypes(left, right)}");
    }

    public static bool Contains(object? container, object? item) =>
        container switch
        {
            string text => item is string part
                ? text.Contains(part, StringComparison.Ordinal)
                : throw new JinjaException(
                    $"'in <string>' requires string as left operand, not {PythonText.TypeName(item)}"
                ),
            JinjaDict dict => dict.TryGet(item, out _),
            _ => Iterate(container).Any(member => AreEqual(member, item)),
        };

    /// <summary>The values that a loop over this one visits.</summary>
    public static IReadOnlyList<object?> Iterate(object? value) =>
        value switch
        {
            Undefined => [],
            List<object?> list => list,
            object?[] tuple => tuple,
            Generator generator => generator.Items,
            JinjaDict dict => [.. dict.Keys],
            string text => [.. text.EnumerateRunes().Select(rune => rune.ToString())],
            _ => throw new JinjaException($"'{PythonText.TypeName(value)}' object is not iterable"),
        };

    static void ThrowIfUndefined(object? value)
    {
        if (value is Undefined undefined)
        {
            throw undefined.ToException();
        }
    }
}
