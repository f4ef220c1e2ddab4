using Filter = CoPe.Chat.Jinja.ValueFunction<object?>;

namespace CoPe.Chat.Jinja;

/// <summary>Filters over lists and dictionaries, with Jinja's parameters.</summary>
static class SequenceFilters
{
    static readonly Dictionary<string, Filter> All = new(StringComparer.Ordinal)
    {
        ["list"] = new(static (value, arguments) => Operators.Iterate(arguments.State, value).ToList()),
        ["items"] = new(static (value, _) => GetPairs(value)),
        ["dictsort"] = new(SortPairs, "case_sensitive", "by", "reverse"),
        ["join"] = new(Join, "d", "attribute"),
        ["first"] = new(static (value, arguments) => GetEnd(value, arguments, isFirst: true)),
        ["last"] = new(static (value, arguments) => GetEnd(value, arguments, isFirst: false)),
        ["reverse"] = new(Reverse),
        ["sort"] = new(Sort, "reverse", "case_sensitive", "attribute"),
        ["unique"] = new(RemoveDuplicates, "case_sensitive", "attribute"),
        ["min"] = new(
            static (value, arguments) => FindExtreme(value, arguments, sign: 1),
            "case_sensitive",
            "attribute"
        ),
        ["max"] = new(
            static (value, arguments) => FindExtreme(value, arguments, sign: -1),
            "case_sensitive",
            "attribute"
        ),
        ["sum"] = new(Sum, "attribute", "start"),
        ["batch"] = new(Batch, "linecount", "fill_with"),
        ["slice"] = new(Slice, "slices", "fill_with"),
        ["map"] = new(Map, null),
        ["select"] = new(
            static (value, arguments) => SelectItems(value, arguments, byAttribute: false, keep: true),
            null
        ),
        ["reject"] = new(
            static (value, arguments) => SelectItems(value, arguments, byAttribute: false, keep: false),
            null
        ),
        ["selectattr"] = new(
            static (value, arguments) => SelectItems(value, arguments, byAttribute: true, keep: true),
            null
        ),
        ["rejectattr"] = new(
            static (value, arguments) => SelectItems(value, arguments, byAttribute: true, keep: false),
            null
        ),
    };

    public static Filter? Find(string name) => All.GetValueOrDefault(name);

    static Generator GetPairs(object? value) =>
        value switch
        {
            Undefined => new([]),
            JinjaDict dict => new(JinjaDict.ToTuples(dict.Entries)),
            _ => throw new JinjaException("Can only get item pairs from a mapping."),
        };

    static List<object?> SortPairs(object? value, Arguments arguments)
    {
        if (value is not JinjaDict dict)
        {
            throw new JinjaException("dictsort needs a mapping");
        }

        var byValue = arguments.Get(1, "by", "key") switch
        {
            "key" => false,
            "value" => true,
            _ => throw new JinjaException("You can only sort by either \"key\" or \"value\""),
        };
        var ignoresCase = !arguments.IsTrue(0, "case_sensitive");
        return SortBy(
            arguments,
            JinjaDict.ToTuples(dict.Entries),
            pair => FoldCase(((object?[])pair!)[byValue ? 1 : 0], ignoresCase),
            arguments.IsTrue(2, "reverse")
        );
    }

    static string Join(object? value, Arguments arguments)
    {
        var separator = PythonText.Str(arguments.State, arguments.Get(0, "d", ""));
        var items = Operators.Iterate(arguments.State, value);
        var attribute = arguments.Get(1, "attribute");
        return RenderState.Join(
            separator,
            items.Select(item =>
                PythonText.Str(arguments.State, attribute is null ? item : GetByPath(arguments.State, item, attribute))
            )
        );
    }

    static object? Sum(object? value, Arguments arguments)
    {
        var attribute = arguments.Get(0, "attribute");
        var sum = arguments.Get(1, "start", 0L);
        foreach (var item in Operators.Iterate(arguments.State, value))
        {
            var summand = attribute is null ? item : GetByPath(arguments.State, item, attribute);
            if (sum is string)
            {
                throw new JinjaException("sum() can't sum strings [use ''.join(seq) instead]");
            }

            sum = Operators.Binary(arguments.State, "+", sum, summand);
        }

        return sum;
    }

    static object? GetEnd(object? value, Arguments arguments, bool isFirst)
    {
        var items = Operators.Iterate(arguments.State, value);
        if (items.Count > 0)
        {
            return isFirst ? items[0] : items[^1];
        }

        return new Undefined($"No {(isFirst ? "first" : "last")} item, sequence was empty.");
    }

    static object Reverse(object? value, Arguments arguments)
    {
        var reversed = Operators.Iterate(arguments.State, value).Reverse();
        return value is string ? string.Concat(reversed.Cast<string>()) : new Generator([.. reversed]);
    }

    static Generator RemoveDuplicates(object? value, Arguments arguments)
    {
        var getKey = CreateKey(arguments, caseIndex: 0, attributeIndex: 1);
        return new([.. Operators.Iterate(arguments.State, value).DistinctBy(item => Key.Create(getKey(item)))]);
    }

    static Generator Batch(object? value, Arguments arguments)
    {
        var size = arguments.RequireInteger(0, "linecount");
        if (size < 1)
        {
            throw new JinjaException("batch needs a linecount from 1 on");
        }

        var lines = Operators.Iterate(arguments.State, value).Chunk(size).Select(line => line.ToList()).ToList();
        if (lines.Count > 0 && arguments.Get(1, "fill_with") is { } filler)
        {
            var missing = size - lines[^1].Count;
            arguments.State.Spend(missing);
            lines[^1].AddRange(Enumerable.Repeat<object?>(filler, Math.Min(missing, RenderState.MaxItems)));
        }

        return new Generator([.. lines]);
    }

    static Generator Slice(object? value, Arguments arguments)
    {
        var count = arguments.RequireInteger(0, "slices");
        if (count < 1)
        {
            throw new JinjaException("slice needs a number of slices from 1 on");
        }

        var items = Operators.Iterate(arguments.State, value);
        arguments.State.Spend(count);
        var (size, larger) = Math.DivRem(items.Count, count);
        var slices = new List<object?>();
        var start = 0;
        for (var i = 0; i < count; i++)
        {
            var length = size + (i < larger ? 1 : 0);
            List<object?> slice = [.. items.Skip(start).Take(length)];
            start += length;
            if (i >= larger && arguments.Get(1, "fill_with") is { } filler)
            {
                slice.Add(filler);
            }

            slices.Add(slice);
        }

        return new Generator(slices);
    }

    /// <summary>
    /// <c>selectattr(attribute, test, arguments...)</c> and <c>select(test, arguments...)</c>; without a test, truth
    /// decides.
    /// </summary>
    static Generator SelectItems(object? value, Arguments arguments, bool byAttribute, bool keep)
    {
        var attribute = byAttribute ? arguments.Require(0, "attribute") : null;
        var testArguments = byAttribute ? arguments.Skip(1) : arguments;
        Func<object?, bool> test = Operators.IsTrue;
        if (testArguments.Positional.Count > 0)
        {
            var name = testArguments.RequireString(0, "test");
            var found = Tests.Find(name) ?? throw new JinjaException($"No test named '{name}'.");
            var operands = testArguments.Skip(1);
            test = item => found.Invoke(item, operands);
        }
        else
        {
            testArguments.RefuseNamed();
        }

        return new Generator([.. Operators.Iterate(arguments.State, value).Where(IsSelected)]);

        bool IsSelected(object? item) =>
            test(attribute is null ? item : GetByPath(arguments.State, item, attribute)) == keep;
    }

    static Generator Map(object? value, Arguments arguments)
    {
        var items = Operators.Iterate(arguments.State, value);
        if (arguments.Positional.Count == 0 && arguments.Named.TryGetValue("attribute", out var attribute))
        {
            if (arguments.Named.Keys.FirstOrDefault(name => name is not ("attribute" or "default")) is { } unknown)
            {
                throw new JinjaException($"Unexpected keyword argument '{unknown}'");
            }

            return new Generator([.. items.Select(GetOrDefault)]);
        }

        var name = arguments.RequireString(0, "filter");
        var filter = Filters.Find(name) ?? throw new JinjaException($"No filter named '{name}'.");
        return new Generator([.. items.Select(item => filter.Invoke(item, arguments.Skip(1)))]);

        object? GetOrDefault(object? item)
        {
            var found = GetByPath(arguments.State, item, attribute);
            return found is Undefined ? arguments.Named.GetValueOrDefault("default", found) : found;
        }
    }

    static List<object?> Sort(object? value, Arguments arguments) =>
        SortBy(
            arguments,
            Operators.Iterate(arguments.State, value),
            CreateKey(arguments, caseIndex: 1, attributeIndex: 2),
            arguments.IsTrue(0, "reverse")
        );

    static List<object?> SortBy(
        Arguments arguments,
        IEnumerable<object?> items,
        Func<object?, object?> getKey,
        bool isDescending
    )
    {
        var order = Comparer<object?>.Create((left, right) => Operators.CompareOrder(arguments.State, left, right));
        return isDescending ? [.. items.OrderByDescending(getKey, order)] : [.. items.OrderBy(getKey, order)];
    }

    /// <summary>
    /// What items are ordered or told apart by: themselves or attributes of theirs, texts in lower case.
    /// </summary>
    static Func<object?, object?> CreateKey(Arguments arguments, int caseIndex, int attributeIndex)
    {
        var ignoresCase = !arguments.IsTrue(caseIndex, "case_sensitive");
        var attribute = arguments.Get(attributeIndex, "attribute");
        return attribute switch
        {
            null => item => FoldCase(item, ignoresCase),
            string path when path.Contains(',', StringComparison.Ordinal) => item =>
                path.Split(',').Select(one => GetKey(item, one)).ToArray(),
            _ => item => GetKey(item, attribute),
        };

        object? GetKey(object? item, object path) => FoldCase(GetByPath(arguments.State, item, path), ignoresCase);
    }

    static object? FoldCase(object? value, bool ignoresCase) =>
        ignoresCase && value is string text ? PythonCase.ToLower(text) : value;

    /// <summary>The smallest item where the sign is 1, the largest where it is -1; of equals the first.</summary>
    static object? FindExtreme(object? value, Arguments arguments, int sign)
    {
        var getKey = CreateKey(arguments, caseIndex: 0, attributeIndex: 1);
        var items = Operators.Iterate(arguments.State, value);
        if (items.Count == 0)
        {
            return new Undefined("No aggregated item, sequence was empty.");
        }

        return items.Aggregate((best, item) => IsBetter(item, best) ? item : best);

        bool IsBetter(object? item, object? best) =>
            sign * Operators.CompareOrder(arguments.State, getKey(item), getKey(best)) < 0;
    }

    /// <summary>An attribute may be a path with dots, or an index.</summary>
    static object? GetByPath(RenderState state, object? item, object? attribute)
    {
        if (attribute is not string path)
        {
            return MemberAccess.GetItem(state, item, attribute);
        }

        foreach (var part in path.Split('.'))
        {
            object? key = long.TryParse(part, out var index) ? index : part;
            item = MemberAccess.GetItem(state, item, key);
        }

        return item;
    }
}
