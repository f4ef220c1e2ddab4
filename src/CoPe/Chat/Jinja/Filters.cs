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
        ["tojson"] = ToJson,
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
                StringMethods.ToCount(arguments.Get(2, "count"))
            ),
        ["indent"] = Indent,
        ["safe"] = static (value, _) => value,
        ["int"] = ToInteger,
        ["float"] = ToFloat,
        ["abs"] = static (value, _) => Operators.CompareOrder(value, 0L) < 0 ? Operators.Negate(value) : value,
        ["round"] = static (value, arguments) => Round(value, arguments),
    };

    /// <summary>The filter of a name, or null.</summary>
    public static Func<object?, Arguments, object?>? Find(string name) =>
        All.GetValueOrDefault(name) ?? SequenceFilters.Find(name);

    static long Length(object? value)
    {
        if (value is Generator or null or bool or long or double or Callable or JinjaNamespace)
        {
            throw new JinjaException($"object of type '{PythonText.TypeName(value)}' has no len()");
        }

        return Operators.Iterate(value).Count;
    }

    static string ToJson(object? value, Arguments arguments)
    {
        int? indent = arguments.Get(1, "indent") is long width ? (int)Math.Clamp(width, 0, 64) : null;
        return JsonText.Write(value, indent);
    }

    static object? Default(object? value, Arguments arguments)
    {
        var replacesFalse = Operators.IsTrue(arguments.Get(1, "boolean"));
        var isAbsent = value is Undefined || (replacesFalse && !Operators.IsTrue(value));
        return isAbsent ? arguments.Get(0, "default_value", "") : value;
    }

    static double Round(object? value, Arguments arguments)
    {
        if (!Operators.TryNumber(value, out var number, out _))
        {
            throw new JinjaException("round needs a number");
        }

        var precision = arguments.Get(0, "precision") is long digits ? Math.Clamp(digits, 0, 15) : 0;
        return Math.Round(number, (int)precision, MidpointRounding.ToEven);
    }

    static string Indent(object? value, Arguments arguments)
    {
        var indentation = arguments.Get(0, "width", 4L) switch
        {
            string text => text,
            long width => new string(' ', (int)Math.Clamp(width, 0, 1000)),
            _ => new string(' ', 4),
        };
        var indentsFirst = Operators.IsTrue(arguments.Get(1, "first"));
        var indentsBlank = Operators.IsTrue(arguments.Get(2, "blank"));

        var lines = PythonText.Str(value).Split('\n');
        for (var i = 0; i < lines.Length; i++)
        {
            var isIndented = i == 0 ? indentsFirst : indentsBlank || lines[i].Length > 0;
            if (isIndented)
            {
                lines[i] = indentation + lines[i];
            }
        }

        return string.Join('\n', lines);
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

        return TryParseFloat(text, out number) ? (long)number : arguments.Get(0, "default", 0L);
    }

    static object? ToFloat(object? value, Arguments arguments)
    {
        if (Operators.TryNumber(value, out var number, out _))
        {
            return number;
        }

        var text = PythonText.Str(value).Trim();
        return TryParseFloat(text, out number) ? number : arguments.Get(0, "default", 0.0);
    }

    static bool TryParseFloat(string text, out double number) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out number);
}

/// <summary>Filters over lists.</summary>
static class SequenceFilters
{
    static readonly Dictionary<string, Func<object?, Arguments, object?>> All = new(StringComparer.Ordinal)
    {
        ["list"] = static (value, _) => Operators.Iterate(value).ToList(),
        ["items"] = static (value, _) => GetPairs(value),
        ["dictsort"] = static (value, _) => SortPairs(value),
        ["join"] = Join,
        ["first"] = static (value, _) => GetEnd(value, isFirst: true),
        ["last"] = static (value, _) => GetEnd(value, isFirst: false),
        ["reverse"] = static (value, _) => Reverse(value),
        ["sort"] = Sort,
        ["unique"] = static (value, _) => RemoveDuplicates(value),
        ["min"] = static (value, _) => FindExtreme(value, sign: 1),
        ["max"] = static (value, _) => FindExtreme(value, sign: -1),
        ["sum"] = Sum,
        ["map"] = Map,
        ["select"] = static (value, arguments) => SelectItems(value, arguments, byAttribute: false, keep: true),
        ["reject"] = static (value, arguments) => SelectItems(value, arguments, byAttribute: false, keep: false),
        ["selectattr"] = static (value, arguments) => SelectItems(value, arguments, byAttribute: true, keep: true),
        ["rejectattr"] = static (value, arguments) => SelectItems(value, arguments, byAttribute: true, keep: false),
    };

    public static Func<object?, Arguments, object?>? Find(string name) => All.GetValueOrDefault(name);

    static List<object?> GetPairs(object? value) =>
        value switch
        {
            Undefined => [],
            JinjaDict dict => dict.Items,
            _ => throw new JinjaException("Can only get item pairs from a mapping."),
        };

    static List<object?> SortPairs(object? value)
    {
        if (value is not JinjaDict dict)
        {
            throw new JinjaException("dictsort needs a mapping");
        }

        var sorted = dict.Entries.OrderBy(
            entry => PythonText.Str(entry.Key).ToLowerInvariant(),
            StringComparer.Ordinal
        );
        return JinjaDict.ToTuples(sorted);
    }

    static string Join(object? value, Arguments arguments)
    {
        var separator = PythonText.Str(arguments.Get(0, "d", ""));
        var items = GetAttributes(value, arguments.Get(1, "attribute"));
        return string.Join(separator, items.Select(PythonText.Str));
    }

    static object? Sum(object? value, Arguments arguments)
    {
        var sum = arguments.Get(1, "start", 0L);
        foreach (var item in GetAttributes(value, arguments.Get(0, "attribute")))
        {
            sum = Operators.Binary("+", sum, item);
        }

        return sum;
    }

    static object? GetEnd(object? value, bool isFirst)
    {
        var items = Operators.Iterate(value);
        if (items.Count > 0)
        {
            return isFirst ? items[0] : items[^1];
        }

        return new Undefined($"No {(isFirst ? "first" : "last")} item, sequence was empty.");
    }

    static object Reverse(object? value)
    {
        var reversed = Operators.Iterate(value).Reverse();
        return value is string ? string.Concat(reversed.Cast<string>()) : new Generator([.. reversed]);
    }

    static Generator RemoveDuplicates(object? value)
    {
        var distinct = new List<object?>();
        foreach (var item in Operators.Iterate(value))
        {
            if (!distinct.Any(other => Operators.AreEqual(other, item)))
            {
                distinct.Add(item);
            }
        }

        return new Generator(distinct);
    }

    /// <summary>
    /// <c>selectattr(attribute, test, arguments...)</c> and <c>select(test, arguments...)</c>; without a test, truth
    /// decides.
    /// </summary>
    static Generator SelectItems(object? value, Arguments arguments, bool byAttribute, bool keep)
    {
        var attribute = byAttribute ? arguments.Require(0, "attribute") : null;
        var testArguments = byAttribute ? arguments.Skip(1) : arguments;
        Func<object?, Arguments, bool> test = static (item, _) => Operators.IsTrue(item);
        if (testArguments.Positional.Count > 0)
        {
            var name = testArguments.RequireString(0, "test");
            test = Tests.Find(name) ?? throw new JinjaException($"No test named '{name}'.");
        }

        var operands = testArguments.Skip(1);
        return new Generator([.. Operators.Iterate(value).Where(IsSelected)]);

        bool IsSelected(object? item)
        {
            var tested = attribute is null ? item : GetByPath(item, attribute);
            return test(tested, operands) == keep;
        }
    }

    static Generator Map(object? value, Arguments arguments)
    {
        var items = Operators.Iterate(value);
        if (arguments.Named.TryGetValue("attribute", out var attribute))
        {
            return new Generator([.. items.Select(GetOrDefault)]);
        }

        var name = arguments.RequireString(0, "filter");
        var filter = Filters.Find(name) ?? throw new JinjaException($"No filter named '{name}'.");
        return new Generator([.. items.Select(item => filter(item, arguments.Skip(1)))]);

        object? GetOrDefault(object? item)
        {
            var found = GetByPath(item, attribute);
            return found is Undefined ? arguments.Named.GetValueOrDefault("default", found) : found;
        }
    }

    static List<object?> Sort(object? value, Arguments arguments)
    {
        var attribute = arguments.Get(2, "attribute");
        var ignoreCase = !Operators.IsTrue(arguments.Get(1, "case_sensitive"));
        var isDescending = Operators.IsTrue(arguments.Get(0, "reverse"));
        var order = Comparer<object?>.Create(static (left, right) => Operators.CompareOrder(left, right));
        var items = Operators.Iterate(value);
        return isDescending ? [.. items.OrderByDescending(GetKey, order)] : [.. items.OrderBy(GetKey, order)];

        object? GetKey(object? item)
        {
            var key = attribute is null ? item : GetByPath(item, attribute);
            return ignoreCase && key is string text ? text.ToLowerInvariant() : key;
        }
    }

    /// <summary>The smallest item where the sign is 1, the largest where it is -1; of equals the first.</summary>
    static object? FindExtreme(object? value, int sign)
    {
        var items = Operators.Iterate(value);
        return items.Count > 0
            ? items.Aggregate((best, item) => sign * Operators.CompareOrder(item, best) < 0 ? item : best)
            : new Undefined("No aggregated item, sequence was empty.");
    }

    static IEnumerable<object?> GetAttributes(object? value, object? attribute)
    {
        var items = Operators.Iterate(value);
        return attribute is null ? items : items.Select(item => GetByPath(item, attribute));
    }

    /// <summary>An attribute may be a path with dots, or an index.</summary>
    static object? GetByPath(object? item, object? attribute)
    {
        if (attribute is not string path)
        {
            return MemberAccess.GetItem(item, attribute);
        }

        foreach (var part in path.Split('.'))
        {
            object? key = long.TryParse(part, out var index) ? index : part;
            item = MemberAccess.GetItem(item, key);
        }

        return item;
    }
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
        ["lower"] = static (value, _) => StringMethods.IsLower(PythonText.Str(value)),
        ["upper"] = static (value, _) => StringMethods.IsUpper(PythonText.Str(value)),
        ["in"] = static (value, arguments) => Operators.Contains(arguments.Require(0, "seq"), value),
        ["sameas"] = static (value, arguments) => IsSame(value, arguments.Require(0, "other")),
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

    static bool IsSame(object? value, object? other) =>
        value is bool or null ? Equals(value, other) : ReferenceEquals(value, other);
}
