using System.Globalization;

namespace CoPe.Chat.Jinja;

/// <summary>The filters of <c>value | filter</c>.</summary>
static class Filters
{
    static readonly Dictionary<string, Func<object?, Arguments, object?>> All = new(StringComparer.Ordinal)
    {
        ["trim"] = static (value, arguments) =>
            PythonText.Strip(PythonText.Str(value), arguments.Get(0, "chars") as string),
        ["length"] = static (value, _) => Length(value),
        ["count"] = static (value, _) => Length(value),
        ["string"] = static (value, _) => PythonText.Str(value),
        ["tojson"] = static (value, arguments) =>
            JsonText.Write(value, arguments.Get(1, "indent") is long width ? (int)Math.Clamp(width, 0, 64) : null),
        ["default"] = Default,
        ["d"] = Default,
        ["upper"] = static (value, _) => PythonText.Str(value).ToUpperInvariant(),
        ["lower"] = static (value, _) => PythonText.Str(value).ToLowerInvariant(),
        ["title"] = static (value, _) => StringMethods.Title(PythonText.Str(value)),
        ["capitalize"] = static (value, _) => StringMethods.Capitalize(PythonText.Str(value)),
        ["replace"] = static (value, arguments) =>
            StringMethods.Replace(
                PythonText.Str(value),
                arguments.RequireString(0, "old"),
                arguments.RequireString(1, "new"),
                arguments.Get(2, "count") is long count ? (int)Math.Clamp(count, -1, int.MaxValue - 1) : -1
            ),
        ["indent"] = Indent,
        ["safe"] = static (value, _) => value,
        ["int"] = ToInteger,
        ["float"] = ToFloat,
        ["abs"] = static (value, _) => Operators.CompareOrder(value, 0L) < 0 ? Operators.Negate(value) : value,
        ["round"] = static (value, arguments) =>
            Operators.TryNumber(value, out var number, out _)
                ? Math.Round(
                    number,
                    (int)Math.Clamp(arguments.Get(0, "precision", 0L) as long? ?? 0, 0, 15),
                    MidpointRounding.ToEven
                )
                : throw new JinjaException("round needs a number"),
    };

    /// <summary>The filter of a name, or null.</summary>
    public static Func<object?, Arguments, object?>? Find(string name) =>
        All.GetValueOrDefault(name) ?? SequenceFilters.Find(name);

    public static long Length(object? value) =>
        value is Generator or null or bool or long or double or Callable or JinjaNamespace
            ? throw new JinjaException($"object of type '{PythonText.TypeName(value)}' has no len()")
        : value is JinjaDict dict ? dict.Count
        : Operators.Iterate(value).Count;

    static object? Default(object? value, Arguments arguments)
    {
        var absent = value is Undefined || (Operators.IsTrue(arguments.Get(1, "boolean")) && !Operators.IsTrue(value));
        return absent ? arguments.Get(0, "default_value", "") : value;
    }

    static string Indent(object? value, Arguments arguments)
    {
        var by = arguments.Get(0, "width", 4L) is string text
            ? text
            : new string(' ', (int)Math.Clamp(arguments.Get(0, "width", 4L) as long? ?? 4, 0, 1000));
        bool first = Operators.IsTrue(arguments.Get(1, "first")),
            blank = Operators.IsTrue(arguments.Get(2, "blank"));
        var lines = PythonText.Str(value).Split('\n');
        return string.Join(
            '\n',
            lines.Select((line, i) => (i == 0 ? first : blank || line.Length > 0) ? by + line : line)
        );
    }

    static object? ToInteger(object? value, Arguments arguments)
    {
        if (Operators.TryNumber(value, out var number, out var whole))
        {
            return whole ?? (long)Math.Truncate(number);
        }

        var text = PythonText.Str(value).Trim();
        if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var parsed))
        {
            return parsed;
        }

        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out number)
            ? (long)number
            : arguments.Get(0, "default", 0L);
    }

    static object? ToFloat(object? value, Arguments arguments)
    {
        if (Operators.TryNumber(value, out var number, out _))
        {
            return number;
        }

        return double.TryParse(
            PythonText.Str(value).Trim(),
            NumberStyles.Float,
            CultureInfo.InvariantCulture,
            out number
        )
            ? number
            : arguments.Get(0, "default", 0.0);
    }
}

/// <summary>Filters over lists.</summary>
static class SequenceFilters
{
    static readonly Dictionary<string, Func<object?, Arguments, object?>> All = new(StringComparer.Ordinal)
    {
        ["list"] = static (value, _) => Operators.Iterate(value).ToList(),
        ["items"] = static (value, _) =>
            value is Undefined ? new List<object?>()
            : value is JinjaDict dict
                ? dict.Entries.Select(object? (entry) => new object?[] { entry.Key, entry.Value }).ToList()
            : throw new JinjaException("Can only get item pairs from a mapping."),
        ["dictsort"] = static (value, _) =>
            value is JinjaDict dict
                ? dict
                    .Entries.OrderBy(entry => PythonText.Str(entry.Key).ToLowerInvariant(), StringComparer.Ordinal)
                    .Select(object? (entry) => new object?[] { entry.Key, entry.Value })
                    .ToList()
                : throw new JinjaException("dictsort needs a mapping"),
        ["join"] = static (value, arguments) =>
            string.Join(
                PythonText.Str(arguments.Get(0, "d", "")),
                Operators
                    .Iterate(value)
                    .Select(item =>
                        PythonText.Str(
                            arguments.Get(1, "attribute") is { } attribute ? GetByPath(item, attribute) : item
                        )
                    )
            ),
        ["first"] = static (value, _) =>
            Operators.Iterate(value) is { Count: > 0 } items
                ? items[0]
                : new Undefined("No first item, sequence was empty."),
        ["last"] = static (value, _) =>
            Operators.Iterate(value) is { Count: > 0 } items
                ? items[^1]
                : new Undefined("No last item, sequence was empty."),
        ["reverse"] = static (value, _) =>
            value is string text
                ? string.Concat(Operators.Iterate(text).Reverse().Cast<string>())
                : new Generator([.. Operators.Iterate(value).Reverse()]),
        ["sort"] = Sort,
        ["unique"] = static (value, _) =>
            new Generator(
                Operators
                    .Iterate(value)
                    .Aggregate(
                        new List<object?>(),
                        static (seen, item) =>
                        {
                            if (!seen.Any(other => Operators.AreEqual(other, item)))
                            {
                                seen.Add(item);
                            }

                            return seen;
                        }
                    )
            ),
        ["min"] = static (value, _) => FindExtreme(value, sign: 1),
        ["max"] = static (value, _) => FindExtreme(value, sign: -1),
        ["sum"] = static (value, arguments) =>
            Operators
                .Iterate(value)
                .Select(item => arguments.Get(0, "attribute") is { } attribute ? GetByPath(item, attribute) : item)
                .Aggregate(arguments.Get(1, "start", 0L), static (sum, item) => Operators.Binary("+", sum, item)),
        ["map"] = Map,
        ["select"] = static (value, arguments) => SelectItems(value, arguments, byAttribute: false, keep: true),
        ["reject"] = static (value, arguments) => SelectItems(value, arguments, byAttribute: false, keep: false),
        ["selectattr"] = static (value, arguments) => SelectItems(value, arguments, byAttribute: true, keep: true),
        ["rejectattr"] = static (value, arguments) => SelectItems(value, arguments, byAttribute: true, keep: false),
    };

    public static Func<object?, Arguments, object?>? Find(string name) => All.GetValueOrDefault(name);

    // selectattr(attribute, test, arguments...), select(test, arguments...); without a test, truth decides.
    static Generator SelectItems(object? value, Arguments arguments, bool byAttribute, bool keep)
    {
        var attribute = byAttribute ? arguments.Require(0, "attribute") : null;
        var rest = byAttribute ? arguments.Skip(1) : arguments;
        Func<object?, Arguments, bool> test = static (item, _) => Operators.IsTrue(item);
        if (rest.Positional.Count > 0)
        {
            var name = rest.RequireString(0, "test");
            test = Tests.Find(name) ?? throw new JinjaException($"No test named '{name}'.");
        }
        var operands = rest.Skip(1);
        return new Generator([
            .. Operators
                .Iterate(value)
                .Where(item => test(attribute is null ? item : GetByPath(item, attribute), operands) == keep),
        ]);
    }

    static Generator Map(object? value, Arguments arguments)
    {
        var items = Operators.Iterate(value);
        if (arguments.Named.TryGetValue("attribute", out var attribute))
        {
            return new Generator([
                .. items.Select(item =>
                    GetByPath(item, attribute) is var found
                    && found is Undefined
                    && arguments.Named.TryGetValue("default", out var absent)
                        ? absent
                        : found
                ),
            ]);
        }

        var name = arguments.RequireString(0, "filter");
        var filter = Filters.Find(name) ?? throw new JinjaException($"No filter named '{name}'.");
        return new Generator([.. items.Select(item => filter(item, arguments.Skip(1)))]);
    }

    static List<object?> Sort(object? value, Arguments arguments)
    {
        var attribute = arguments.Get(2, "attribute");
        var ignoreCase = !Operators.IsTrue(arguments.Get(1, "case_sensitive"));
        object? Key(object? item) =>
            (attribute is null ? item : GetByPath(item, attribute)) is var key && ignoreCase && key is string text
                ? text.ToLowerInvariant()
                : key;
        var order = Comparer<object?>.Create(static (left, right) => Operators.CompareOrder(left, right));
        var items = Operators.Iterate(value);
        return Operators.IsTrue(arguments.Get(0, "reverse"))
            ? [.. items.OrderByDescending(Key, order)]
            : [.. items.OrderBy(Key, order)];
    }

    static object? FindExtreme(object? value, int sign) =>
        Operators.Iterate(value) is { Count: > 0 } items
            ? items.Aggregate((best, item) => sign * Operators.CompareOrder(item, best) < 0 ? item : best)
            : new Undefined("No aggregated item, sequence was empty.");

    // An attribute may be a path with dots, or an index.
    static object? GetByPath(object? item, object? attribute) =>
        attribute is string path
            ? path.Split('.')
                .Aggregate(
                    item,
                    static (now, part) => MemberAccess.GetItem(now, long.TryParse(part, out var index) ? index : part)
                )
            : MemberAccess.GetItem(item, attribute);
}

/// <summary>The tests of <c>value is test</c>.</summary>
static class Tests
{
    static readonly Dictionary<string, Func<object?, Arguments, bool>> All = new(StringComparer.Ordinal)
    {
        ["defined"] = static (value, _) => value is not Undefined,
        ["undefined"] = static (value, _) => value is Undefined,
        ["none"] = static (value, _) => value is null,
        ["string"] = static (value, _) => value is string,
        ["mapping"] = static (value, _) => value is JinjaDict,
        ["iterable"] = static (value, _) =>
            value is string or JinjaDict or List<object?> or object?[] or Generator or Undefined,
        ["sequence"] = static (value, _) => value is string or JinjaDict or List<object?> or object?[] or Undefined,
        ["number"] = static (value, _) => value is bool or long or double,
        ["integer"] = static (value, _) => value is long,
        ["float"] = static (value, _) => value is double,
        ["boolean"] = static (value, _) => value is bool,
        ["true"] = static (value, _) => value is true,
        ["false"] = static (value, _) => value is false,
        ["callable"] = static (value, _) => value is Callable,
        ["odd"] = static (value, _) => Operators.AreEqual(Operators.Binary("%", value, 2L), 1L),
        ["even"] = static (value, _) => Operators.AreEqual(Operators.Binary("%", value, 2L), 0L),
        ["divisibleby"] = static (value, arguments) =>
            Operators.AreEqual(Operators.Binary("%", value, arguments.Require(0, "num")), 0L),
        ["lower"] = static (value, _) =>
            PythonText.Str(value) is var text && text.Any(char.IsLower) && !text.Any(char.IsUpper),
        ["upper"] = static (value, _) =>
            PythonText.Str(value) is var text && text.Any(char.IsUpper) && !text.Any(char.IsLower),
        ["in"] = static (value, arguments) => Operators.Contains(arguments.Require(0, "seq"), value),
        ["sameas"] = static (value, arguments) =>
            value is bool or null
                ? Equals(value, arguments.Require(0, "other"))
                : ReferenceEquals(value, arguments.Require(0, "other")),
    };

    static readonly Dictionary<string, string> Comparisons = new(StringComparer.Ordinal)
    {
        ["eq"] = "==",
        ["equalto"] = "==",
        ["=="] = "==",
        ["ne"] = "!=",
        ["!="] = "!=",
        ["lt"] = "<",
        ["lessthan"] = "<",
        ["<"] = "<",
        ["le"] = "<=",
        ["<="] = "<=",
        ["gt"] = ">",
        ["greaterthan"] = ">",
        [">"] = ">",
        ["ge"] = ">=",
        [">="] = ">=",
    };

    /// <summary>The test of a name, or null.</summary>
    public static Func<object?, Arguments, bool>? Find(string name)
    {
        if (All.TryGetValue(name, out var test))
        {
            return test;
        }

        return Comparisons.TryGetValue(name, out var symbol)
            ? (value, arguments) => Operators.Compare(symbol, value, arguments.Require(0, "other"))
            : null;
    }
}
