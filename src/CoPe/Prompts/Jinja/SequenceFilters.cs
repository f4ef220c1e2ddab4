namespace CoPe.Prompts.Jinja;

/// <summary>Filters over lists.</summary>
internal static class SequenceFilters
{
    static readonly Dictionary<string, Func<object?, Arguments, object?>> All = new(StringComparer.Ordinal)
    {
        ["list"] = static (value, _) => Operators.Items(value).ToList(),
        ["items"] = static (value, _) => value is Undefined ? new List<object?>()
            : value is JinjaDict dict ? dict.Entries.Select(object? (entry) => new object?[] { entry.Key, entry.Value }).ToList()
            : throw new JinjaError("Can only get item pairs from a mapping."),
        ["dictsort"] = static (value, _) => value is JinjaDict dict
            ? dict.Entries.OrderBy(entry => PythonText.Of(entry.Key).ToLowerInvariant(), StringComparer.Ordinal).Select(object? (entry) => new object?[] { entry.Key, entry.Value }).ToList()
            : throw new JinjaError("dictsort needs a mapping"),
        ["join"] = static (value, arguments) => string.Join(PythonText.Of(arguments.Get(0, "d", "")),
            Operators.Items(value).Select(item => PythonText.Of(arguments.Get(1, "attribute") is { } attribute ? Path(item, attribute) : item))),
        ["first"] = static (value, _) => Operators.Items(value) is { Count: > 0 } items ? items[0] : new Undefined("No first item, sequence was empty."),
        ["last"] = static (value, _) => Operators.Items(value) is { Count: > 0 } items ? items[^1] : new Undefined("No last item, sequence was empty."),
        ["reverse"] = static (value, _) => value is string text ? string.Concat(Operators.Items(text).Reverse().Cast<string>()) : new Generator([.. Operators.Items(value).Reverse()]),
        ["sort"] = Sort,
        ["unique"] = static (value, _) => new Generator(Operators.Items(value).Aggregate(new List<object?>(),
            static (seen, item) => { if (!seen.Any(other => Operators.AreEqual(other, item))) seen.Add(item); return seen; })),
        ["min"] = static (value, _) => Extreme(value, sign: 1),
        ["max"] = static (value, _) => Extreme(value, sign: -1),
        ["sum"] = static (value, arguments) => Operators.Items(value)
            .Select(item => arguments.Get(0, "attribute") is { } attribute ? Path(item, attribute) : item)
            .Aggregate(arguments.Get(1, "start", 0L), static (sum, item) => Operators.Binary("+", sum, item)),
        ["map"] = Map,
        ["select"] = static (value, arguments) => Choose(value, arguments, byAttribute: false, keep: true),
        ["reject"] = static (value, arguments) => Choose(value, arguments, byAttribute: false, keep: false),
        ["selectattr"] = static (value, arguments) => Choose(value, arguments, byAttribute: true, keep: true),
        ["rejectattr"] = static (value, arguments) => Choose(value, arguments, byAttribute: true, keep: false),
    };

    public static Func<object?, Arguments, object?>? Find(string name) => All.GetValueOrDefault(name);

    // selectattr(attribute, test, arguments...), select(test, arguments...); without a test, truth decides.
    static Generator Choose(object? value, Arguments arguments, bool byAttribute, bool keep)
    {
        var attribute = byAttribute ? arguments.Need(0, "attribute") : null;
        var rest = byAttribute ? arguments.From(1) : arguments;
        Func<object?, Arguments, bool> test = static (item, _) => Operators.IsTrue(item);
        if (rest.Positional.Count > 0)
        {
            var name = rest.NeedText(0, "test");
            test = Tests.Find(name) ?? throw new JinjaError($"No test named '{name}'.");
        }
        var operands = rest.From(1);
        return new Generator([.. Operators.Items(value).Where(item => test(attribute is null ? item : Path(item, attribute), operands) == keep)]);
    }

    static Generator Map(object? value, Arguments arguments)
    {
        var items = Operators.Items(value);
        if (arguments.Named.TryGetValue("attribute", out var attribute))
            return new Generator([.. items.Select(item => Path(item, attribute) is var found && found is Undefined && arguments.Named.TryGetValue("default", out var absent) ? absent : found)]);
        var name = arguments.NeedText(0, "filter");
        var filter = Filters.Find(name) ?? throw new JinjaError($"No filter named '{name}'.");
        return new Generator([.. items.Select(item => filter(item, arguments.From(1)))]);
    }

    static List<object?> Sort(object? value, Arguments arguments)
    {
        var attribute = arguments.Get(2, "attribute");
        var ignoreCase = !Operators.IsTrue(arguments.Get(1, "case_sensitive"));
        object? Key(object? item) => (attribute is null ? item : Path(item, attribute)) is var key && ignoreCase && key is string text ? text.ToLowerInvariant() : key;
        var order = Comparer<object?>.Create(static (left, right) => Operators.Order(left, right));
        var items = Operators.Items(value);
        return Operators.IsTrue(arguments.Get(0, "reverse")) ? [.. items.OrderByDescending(Key, order)] : [.. items.OrderBy(Key, order)];
    }

    static object? Extreme(object? value, int sign) => Operators.Items(value) is { Count: > 0 } items
        ? items.Aggregate((best, item) => sign * Operators.Order(item, best) < 0 ? item : best)
        : new Undefined("No aggregated item, sequence was empty.");

    // An attribute may be a path with dots, or an index.
    static object? Path(object? item, object? attribute) => attribute is string path
        ? path.Split('.').Aggregate(item, static (now, part) => Members.Item(now, long.TryParse(part, out var index) ? index : part))
        : Members.Item(item, attribute);
}
