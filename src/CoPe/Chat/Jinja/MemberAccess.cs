namespace CoPe.Chat.Jinja;

/// <summary>Attributes, items and slices of values.</summary>
static class MemberAccess
{
    /// <summary><c>value.name</c>: a method or attribute, else the entry of that name.</summary>
    public static object? GetAttribute(object? value, string name)
    {
        var found = value switch
        {
            Undefined undefined => throw undefined.ToException(),
            string text => (object?)StringMethods.Find(text, name),
            JinjaDict dict => FindDictMethod(dict, name),
            List<object?> or object?[] or JinjaRange => FindListMethod(value, name),
            LoopVariable loop when loop.Has(name) => loop.Find(name),
            _ => null,
        };
        if (found is not null || (value is LoopVariable variable && variable.Has(name)))
        {
            return found;
        }

        if (value is JinjaNamespace box && box.Attributes.TryGetValue(name, out found))
        {
            return found;
        }

        if (value is JinjaDict entries && entries.TryGet(name, out found))
        {
            return found;
        }

        return new Undefined($"'{Describe(value)}' has no attribute '{name}'");
    }

    /// <summary>The attribute alone, as the filter attr takes it: an entry of a dictionary is none.</summary>
    public static object? GetOwnAttribute(object? value, string name) =>
        value is JinjaDict dict
            ? FindDictMethod(dict, name) ?? (object)new Undefined($"'{Describe(value)}' has no attribute '{name}'")
            : GetAttribute(value, name);

    /// <summary><c>value[key]</c>: an entry or element, else the attribute of that name.</summary>
    public static object? GetItem(RenderState state, object? value, object? key)
    {
        if (value is Undefined undefined)
        {
            throw undefined.ToException();
        }

        if (value is JinjaDict dict && dict.TryGet(key, out var entry))
        {
            return entry;
        }

        if (IsSequence(value) && ToInteger(key) is { } index)
        {
            var items = Operators.GetItems(state, value);
            var place = index < 0 ? index + items.Count : index;
            return place >= 0 && place < items.Count ? items[(int)place] : NoElement(state, value, key);
        }

        return key is string name ? GetAttribute(value, name) : NoElement(state, value, key);
    }

    /// <summary><c>value[start:stop:step]</c>; a bound that is null was not given.</summary>
    public static object? GetSlice(RenderState state, object? value, object? start, object? stop, object? step)
    {
        if (value is Undefined undefined)
        {
            throw undefined.ToException();
        }

        if (!IsSequence(value))
        {
            throw new JinjaException($"'{PythonText.TypeName(value)}' object cannot be sliced");
        }

        var sliced = TakeSlice(
            Operators.Iterate(state, value),
            ToSliceIndex(start),
            ToSliceIndex(stop),
            ToSliceIndex(step) ?? 1
        );
        return value switch
        {
            string => string.Concat(sliced.Cast<string>()),
            object?[] => sliced.ToArray(),
            _ => sliced,
        };
    }

    static List<object?> TakeSlice(IReadOnlyList<object?> items, long? start, long? stop, long step)
    {
        if (step == 0)
        {
            throw new JinjaException("slice step cannot be zero");
        }

        // Backwards, a slice may end before the first item and begin at the last.
        var isForward = step > 0;
        var first = isForward ? 0 : -1;
        var last = isForward ? items.Count : items.Count - 1;
        var from = start is null ? (isForward ? first : last) : Clamp(start.Value);
        var to = stop is null ? (isForward ? last : first) : Clamp(stop.Value);

        var taken = new List<object?>();
        for (var i = from; isForward ? i < to : i > to; i += step)
        {
            taken.Add(items[(int)i]);
        }

        return taken;

        long Clamp(long index) => Math.Clamp(index < 0 ? index + items.Count : index, first, last);
    }

    static long? ToSliceIndex(object? bound)
    {
        if (bound is null)
        {
            return null;
        }

        var index = ToInteger(bound) ?? throw new JinjaException("slice indices must be integers or None");
        return Math.Clamp(index, -int.MaxValue, int.MaxValue);
    }

    static long? ToInteger(object? value)
    {
        _ = Operators.TryNumber(value, out _, out var whole);
        return whole;
    }

    static bool IsSequence(object? value) => value is string or List<object?> or object?[] or JinjaRange;

    static Undefined NoElement(RenderState state, object? value, object? key) =>
        new($"{Describe(value)} has no element {PythonText.Repr(state, key)}");

    static Callable? FindDictMethod(JinjaDict dict, string name) =>
        name switch
        {
            "items" => Callable.WithParameters(name, _ => new DictView("dict_items", JinjaDict.ToTuples(dict.Entries))),
            "keys" => Callable.WithParameters(name, _ => new DictView("dict_keys", [.. dict.Keys])),
            "values" => Callable.WithParameters(name, _ => new DictView("dict_values", [.. dict.Values])),
            "get" => Callable.WithParameters(
                name,
                arguments =>
                    dict.TryGet(arguments.Require(0, "key"), out var value) ? value : arguments.Get(1, "default"),
                "key",
                "default"
            ),
            "copy" => Callable.WithParameters(name, _ => dict),
            _ => null,
        };

    static Callable? FindListMethod(object list, string name) =>
        name switch
        {
            "count" => Callable.WithParameters(name, arguments => (long)FindIndices(arguments, list).Count(), "value"),
            "index" => Callable.WithParameters(
                name,
                arguments =>
                    FindIndices(arguments, list).Cast<object?>().FirstOrDefault()
                    ?? throw new JinjaException(
                        $"{PythonText.Repr(arguments.State, arguments.Get(0, "value"))} is not in list"
                    ),
                "value"
            ),
            "copy" when list is List<object?> => Callable.WithParameters(name, _ => list),
            _ => null,
        };

    static IEnumerable<long> FindIndices(Arguments arguments, object list)
    {
        var wanted = arguments.Require(0, "value");
        return Operators
            .Iterate(arguments.State, list)
            .Index()
            .Where(pair => Operators.AreEqual(arguments.State, pair.Item, wanted))
            .Select(pair => (long)pair.Index);
    }

    static string Describe(object? value) => value is null ? "None" : PythonText.TypeName(value) + " object";
}
