namespace CoPe.Prompts.Jinja;

/// <summary>Attributes, items and slices of values.</summary>
internal static class Members
{
    /// <summary><c>value.name</c>: a method or attribute, else the entry of that name.</summary>
    public static object? Attribute(object? value, string name)
    {
        object? found = value switch
        {
            Undefined undefined => throw undefined.Error(),
            string text => StringMethods.Find(text, name),
            JinjaDict dict => DictMethod(dict, name),
            _ => null,
        };
        if (found is not null) return found;
        if (value is JinjaNamespace box && box.Attributes.TryGetValue(name, out found)) return found;
        if (value is JinjaDict entries && entries.TryGet(name, out found)) return found;
        return new Undefined($"'{Describe(value)}' has no attribute '{name}'");
    }

    /// <summary><c>value[key]</c>: an entry or element, else the attribute of that name.</summary>
    public static object? Item(object? value, object? key)
    {
        if (value is Undefined undefined) throw undefined.Error();
        if (value is JinjaDict dict && dict.TryGet(key, out var entry)) return entry;
        if (value is string or List<object?> or object?[] && Operators.TryNumber(key, out _, out var whole) && whole is { } index)
        {
            var items = Operators.Items(value);
            if (index < 0) index += items.Count;
            return index >= 0 && index < items.Count ? items[(int)index] : new Undefined($"{Describe(value)} has no element {PythonText.Repr(key)}");
        }
        return key is string name ? Attribute(value, name) : new Undefined($"{Describe(value)} has no element {PythonText.Repr(key)}");
    }

    public static object? Slice(object? value, object? start, object? stop, object? step)
    {
        if (value is Undefined undefined) throw undefined.Error();
        if (value is not (string or List<object?> or object?[])) throw new JinjaError($"'{PythonText.TypeName(value)}' object cannot be sliced");
        var items = Operators.Items(value);
        var by = Bound(step) ?? 1;
        if (by == 0) throw new JinjaError("slice step cannot be zero");
        long count = items.Count, low = by > 0 ? 0 : -1, high = by > 0 ? count : count - 1;
        long Clamp(long? bound, long absent) => bound is not { } at ? absent : Math.Clamp(at < 0 ? at + count : at, low, high);
        long from = Clamp(Bound(start), by > 0 ? 0 : count - 1), to = Clamp(Bound(stop), by > 0 ? count : -1);
        var taken = new List<object?>();
        for (var i = from; by > 0 ? i < to : i > to; i += by) taken.Add(items[(int)i]);
        return value switch
        {
            string => string.Concat(taken.Cast<string>()),
            object?[] => taken.ToArray(),
            _ => taken,
        };
    }

    static long? Bound(object? bound) => bound is null ? null
        : Operators.TryNumber(bound, out _, out var whole) && whole is { } index ? Math.Clamp(index, -int.MaxValue, int.MaxValue)
        : throw new JinjaError("slice indices must be integers or None");

    static Callable? DictMethod(JinjaDict dict, string name) => name switch
    {
        "items" => new Callable(name, _ => dict.Entries.Select(object? (entry) => new object?[] { entry.Key, entry.Value }).ToList()),
        "keys" => new Callable(name, _ => dict.Keys.ToList()),
        "values" => new Callable(name, _ => dict.Values.ToList()),
        "get" => new Callable(name, arguments => dict.TryGet(arguments.Need(0, "key"), out var value) ? value : arguments.Get(1, "default")),
        "copy" => new Callable(name, _ => dict),
        _ => null,
    };

    static string Describe(object? value) => value is null ? "None" : PythonText.TypeName(value) + " object";
}
