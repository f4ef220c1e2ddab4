namespace CoPe.Chat.Jinja;

// Values are Python's: null is None; bool, long, double, string; List<object?> a list, object?[] a tuple; and the types
// below.

/// <summary>
/// What a missing name or member gives: it prints nothing, is false, and is an error once a member of it is used.
/// </summary>
sealed record Undefined(string Message)
{
    public JinjaException ToException() => new(Message);
}

/// <summary>A dictionary in insertion order.</summary>
sealed class JinjaDict
{
    readonly OrderedDictionary<Key, object?> _entries = [];

    public int Count => _entries.Count;

    public IEnumerable<object?> Keys => _entries.Keys.Select(key => key.Value);

    public IEnumerable<object?> Values => _entries.Values;

    public IEnumerable<KeyValuePair<object?, object?>> Entries =>
        _entries.Select(entry => KeyValuePair.Create(entry.Key.Value, entry.Value));

    public object? this[string key]
    {
        set => _entries[new Key(key)] = value;
    }

    public void Set(object? key, object? value) => _entries[Key.Create(key)] = value;

    public bool TryGet(object? key, out object? value) => _entries.TryGetValue(Key.Create(key), out value);

    public static List<object?> ToTuples(IEnumerable<KeyValuePair<object?, object?>> entries) =>
        [.. entries.Select(object? (entry) => new object?[] { entry.Key, entry.Value })];
}

/// <summary>A value that can be a key. Numbers are one key whatever their type.</summary>
readonly struct Key : IEquatable<Key>
{
    public Key(string text) => Value = text;

    Key(object? value) => Value = value;

    public object? Value { get; }

    /// <exception cref="JinjaException">The value can change, and so is no key.</exception>
    public static Key Create(object? value)
    {
        if (!IsHashable(value))
        {
            throw new JinjaException($"unhashable type: '{PythonText.TypeName(value)}'");
        }

        return new(value);
    }

    public bool Equals(Key other) => AreSame(Value, other.Value);

    public override bool Equals(object? obj) => obj is Key other && Equals(other);

    public override int GetHashCode() => ComputeHash(Value);

    static bool IsHashable(object? value)
    {
        RenderState.EnsureDepth();
        return value is object?[] tuple
            ? tuple.All(IsHashable)
            : value is null or string or long or bool or double or Undefined;
    }

    static bool AreSame(object? left, object? right)
    {
        if (left is object?[] x && right is object?[] y)
        {
            return x.Length == y.Length && x.Zip(y).All(pair => AreSame(pair.First, pair.Second));
        }

        var areNumbers = Operators.TryNumber(left, out _, out _) && Operators.TryNumber(right, out _, out _);
        return areNumbers ? Operators.AreEqualNumbers(left, right) : Equals(left, right);
    }

    static int ComputeHash(object? value)
    {
        if (value is object?[] tuple)
        {
            return tuple.Aggregate(tuple.Length, (hash, item) => HashCode.Combine(hash, ComputeHash(item)));
        }

        return Operators.TryNumber(value, out var number, out _) ? number.GetHashCode() : value?.GetHashCode() ?? 0;
    }
}

/// <summary>What <c>keys()</c>, <c>values()</c> and <c>items()</c> of a dictionary give.</summary>
/// <param name="Kind">Which of them, as Python prints it: <c>dict_keys</c>.</param>
/// <param name="Items">The keys, values or pairs.</param>
sealed record DictView(string Kind, IReadOnlyList<object?> Items);

/// <summary>Whole numbers in equal steps, made when they are visited.</summary>
sealed record JinjaRange(long Start, long Step, int Count) : IReadOnlyList<object?>
{
    public object? this[int index] => Start + (index * Step);

    public long Stop { get; init; }

    public IEnumerator<object?> GetEnumerator()
    {
        for (var i = 0; i < Count; i++)
        {
            yield return this[i];
        }
    }

    System.Collections.IEnumerator System.Collections.IEnumerable.GetEnumerator() => GetEnumerator();
}

/// <summary>A box whose attributes a template may set from inside a loop.</summary>
sealed class JinjaNamespace
{
    public Dictionary<string, object?> Attributes { get; } = new(StringComparer.Ordinal);
}

/// <summary>
/// The <c>loop</c> of a running loop; a recursive one can be called with the items of the next level.
/// </summary>
sealed class LoopVariable(IReadOnlyList<object?> items, int index, int depth, LoopChange change)
{
    /// <summary>Runs the loop over other items; null where it is not recursive.</summary>
    public Func<Arguments, object?>? Recurse { get; init; }

    /// <summary>An attribute; null where there is none of that name.</summary>
    public object? Find(string name) =>
        name switch
        {
            "index" => index + 1L,
            "index0" => (long)index,
            "revindex" => (long)items.Count - index,
            "revindex0" => items.Count - index - 1L,
            "first" => index == 0,
            "last" => index == items.Count - 1,
            "length" => (long)items.Count,
            "depth" => depth + 1L,
            "depth0" => (long)depth,
            "previtem" => index > 0 ? items[index - 1] : new Undefined("there is no previous item"),
            "nextitem" => index + 1 < items.Count ? items[index + 1] : new Undefined("there is no next item"),
            "cycle" => new Callable("cycle", Cycle),
            "changed" => new Callable("changed", change.Update),
            _ => null,
        };

    public bool Has(string name) => name is "previtem" or "nextitem" || Find(name) is not null;

    object? Cycle(Arguments arguments)
    {
        arguments.RefuseNamed();
        return arguments.Positional.Count > 0
            ? arguments.Positional[index % arguments.Positional.Count]
            : throw new JinjaException("no items for cycling given");
    }
}

/// <summary>Remembers over the iterations of a loop what <c>loop.changed</c> was last given.</summary>
sealed class LoopChange
{
    object?[]? _last;

    public object Update(Arguments arguments)
    {
        arguments.RefuseNamed();
        object?[] given = [.. arguments.Positional];
        var isChanged = _last is null || !Operators.AreEqual(arguments.State, _last, given);
        _last = given;
        return isChanged;
    }
}

/// <summary>What some filters give in Python: true whatever is in it, countable only as a list.</summary>
sealed record Generator(IReadOnlyList<object?> Items);

/// <summary>An error while a template is rendered; the line is that of the <see cref="RenderState"/>.</summary>
sealed class JinjaException(string reason) : Exception(reason);

/// <summary>A template that cannot be parsed.</summary>
sealed class JinjaSyntaxException(string reason, int line) : Exception(reason)
{
    /// <summary>Line of the template, from 1.</summary>
    public int Line => line;
}
