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
            JinjaRange range => range.Count > 0,
            DictView view => view.Items.Count > 0,
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

    public static object? Binary(RenderState state, string symbol, object? left, object? right)
    {
        ThrowIfUndefined(left);
        state.SpendOn(left);
        if (symbol == "%" && left is string format)
        {
            return PercentFormat.Format(state, format, right);
        }

        ThrowIfUndefined(right);
        state.SpendOn(right);
        if (TryNumber(left, out var a, out var wholeLeft) && TryNumber(right, out var b, out var wholeRight))
        {
            return wholeLeft is { } x && wholeRight is { } y
                ? Arithmetic.Compute(symbol, x, y)
                : Arithmetic.Compute(symbol, a, b);
        }

        return (symbol, left, right) switch
        {
            ("+", string first, string second) => Concat(first, second),
            ("+", List<object?> first, List<object?> second) => Concat(state, first, second).ToList(),
            ("+", object?[] first, object?[] second) => Concat(state, first, second).ToArray(),
            ("+", string, _) => throw new JinjaException(
                $"can only concatenate str (not \"{PythonText.TypeName(right)}\") to str"
            ),
            ("*", string text, long or bool) => Repeat(text, ToTimes(right)),
            ("*", long or bool, string text) => Repeat(text, ToTimes(left)),
            ("*", List<object?> list, long or bool) => Repeat(state, list, ToTimes(right)).ToList(),
            ("*", long or bool, List<object?> list) => Repeat(state, list, ToTimes(left)).ToList(),
            ("*", object?[] tuple, long or bool) => Repeat(state, tuple, ToTimes(right)).ToArray(),
            ("*", long or bool, object?[] tuple) => Repeat(state, tuple, ToTimes(left)).ToArray(),
            _ => throw new JinjaException($"unsupported operand type(s) for {symbol}: {DescribeTypes(left, right)}"),
        };
    }

    public static string Concat(string first, string second)
    {
        RenderState.EnsureLength((long)first.Length + second.Length);
        return first + second;
    }

    static IEnumerable<object?> Concat(
        RenderState state,
        IReadOnlyCollection<object?> first,
        IReadOnlyCollection<object?> second
    )
    {
        EnsureItems(state, first.Count + second.Count);
        return first.Concat(second);
    }

    static string Repeat(string text, long times)
    {
        if (text.Length == 0 || times == 0)
        {
            return "";
        }

        RenderState.EnsureLength(times > RenderState.MaxTextLength ? times : times * text.Length);
        return new StringBuilder().Insert(0, text, (int)times).ToString();
    }

    static IEnumerable<object?> Repeat(RenderState state, IReadOnlyCollection<object?> items, long times)
    {
        if (items.Count == 0)
        {
            return [];
        }

        EnsureItems(state, times > RenderState.MaxItems ? times : times * items.Count);
        return Enumerable.Repeat(items, (int)times).SelectMany(item => item);
    }

    static long ToTimes(object? value)
    {
        _ = TryNumber(value, out _, out var whole);
        return Math.Max(0, whole!.Value);
    }

    static void EnsureItems(RenderState state, long count)
    {
        if (count > RenderState.MaxItems)
        {
            throw RenderState.LimitExceeded();
        }

        state.Spend(count);
    }

    static string DescribeTypes(object? left, object? right) =>
        $"'{PythonText.TypeName(left)}' and '{PythonText.TypeName(right)}'";

    public static object Negate(object? value)
    {
        ThrowIfUndefined(value);
        if (!TryNumber(value, out var number, out var whole))
        {
            throw new JinjaException($"bad operand type for unary -: '{PythonText.TypeName(value)}'");
        }

        return whole is { } integer ? Arithmetic.Compute("-", 0L, integer) : -number;
    }

    /// <summary>A number with a plus before it; a boolean becomes a number.</summary>
    public static object? Affirm(object? value)
    {
        ThrowIfUndefined(value);
        if (!TryNumber(value, out var number, out var whole))
        {
            throw new JinjaException($"bad operand type for unary +: '{PythonText.TypeName(value)}'");
        }

        return whole ?? (object)number;
    }

    public static bool AreEqual(RenderState state, object? left, object? right)
    {
        RenderState.EnsureDepth();
        state.Spend(1);
        if (TryNumber(left, out _, out _) && TryNumber(right, out _, out _))
        {
            return AreEqualNumbers(left, right);
        }

        switch (left, right)
        {
            case (Undefined, Undefined):
                return true;
            case (string x, string y):
                state.SpendOn(x);
                return x == y;
            case (List<object?> x, List<object?> y):
                return AreEqualItems(state, x, y);
            case (object?[] x, object?[] y):
                return AreEqualItems(state, x, y);
            case (JinjaRange x, JinjaRange y):
                return AreEqualItems(state, x, y);
            case (JinjaDict x, JinjaDict y):
                return x.Count == y.Count
                    && x.Entries.All(entry =>
                        y.TryGet(entry.Key, out var other) && AreEqual(state, entry.Value, other)
                    );
            default:
                return Equals(left, right);
        }
    }

    public static bool AreEqualNumbers(object? left, object? right)
    {
        _ = TryNumber(left, out var a, out var x);
        _ = TryNumber(right, out var b, out var y);
        return x is not null && y is not null ? x == y : a == b;
    }

    static bool AreEqualItems(RenderState state, IReadOnlyList<object?> left, IReadOnlyList<object?> right) =>
        left.Count == right.Count && left.Zip(right).All(pair => AreEqual(state, pair.First, pair.Second));

    public static bool Compare(RenderState state, string symbol, object? left, object? right)
    {
        switch (symbol)
        {
            case "==":
                return AreEqual(state, left, right);
            case "!=":
                return !AreEqual(state, left, right);
            case "in":
                return Contains(state, right, left);
            case "not in":
                return !Contains(state, right, left);
        }

        if (left is double.NaN || right is double.NaN)
        {
            return false;
        }

        var order = CompareOrder(state, left, right, symbol);
        return symbol switch
        {
            "<" => order < 0,
            "<=" => order <= 0,
            ">" => order > 0,
            _ => order >= 0,
        };
    }

    /// <summary>Which of two values comes first.</summary>
    public static int CompareOrder(RenderState state, object? left, object? right, string symbol = "<")
    {
        RenderState.EnsureDepth();
        ThrowIfUndefined(left);
        ThrowIfUndefined(right);
        state.Spend(1);
        if (TryNumber(left, out var a, out var wholeLeft) && TryNumber(right, out var b, out var wholeRight))
        {
            return wholeLeft is { } first && wholeRight is { } second ? first.CompareTo(second) : a.CompareTo(b);
        }

        if (left is string x && right is string y)
        {
            state.SpendOn(x);
            return PythonText.CompareCodePoints(x, y);
        }

        return (left, right) switch
        {
            (List<object?> one, List<object?> other) => CompareItems(state, one, other, symbol),
            (object?[] one, object?[] other) => CompareItems(state, one, other, symbol),
            _ => throw new JinjaException(
                $"'{symbol}' not supported between instances of "
                    + $"'{PythonText.TypeName(left)}' and '{PythonText.TypeName(right)}'"
            ),
        };
    }

    static int CompareItems(RenderState state, IReadOnlyList<object?> left, IReadOnlyList<object?> right, string symbol)
    {
        foreach (var (one, other) in left.Zip(right))
        {
            if (!AreEqual(state, one, other))
            {
                return CompareOrder(state, one, other, symbol);
            }
        }

        return left.Count.CompareTo(right.Count);
    }

    public static bool Contains(RenderState state, object? container, object? item)
    {
        state.SpendOn(container);
        return container switch
        {
            string text => item is string part
                ? text.Contains(part, StringComparison.Ordinal)
                : throw new JinjaException(
                    $"'in <string>' requires string as left operand, not {PythonText.TypeName(item)}"
                ),
            JinjaDict dict => dict.TryGet(item, out _),
            _ => Iterate(state, container).Any(member => AreEqual(state, member, item)),
        };
    }

    /// <summary>The values that a loop over this one visits, which are paid for.</summary>
    public static IReadOnlyList<object?> Iterate(RenderState state, object? value)
    {
        var items = GetItems(state, value);
        state.Spend(items.Count);
        return items;
    }

    /// <summary>The values in this one, of which few are looked at.</summary>
    public static IReadOnlyList<object?> GetItems(RenderState state, object? value) =>
        value switch
        {
            Undefined => [],
            List<object?> list => list,
            object?[] tuple => tuple,
            Generator generator => generator.Items,
            JinjaRange range => range,
            DictView view => view.Items,
            JinjaDict dict => [.. dict.Keys],
            string text => SplitCharacters(state, text),
            _ => throw new JinjaException($"'{PythonText.TypeName(value)}' object is not iterable"),
        };

    static List<object?> SplitCharacters(RenderState state, string text)
    {
        EnsureItems(state, text.Length);
        return [.. text.EnumerateRunes().Select(rune => rune.ToString())];
    }

    static void ThrowIfUndefined(object? value)
    {
        if (value is Undefined undefined)
        {
            throw undefined.ToException();
        }
    }
}
