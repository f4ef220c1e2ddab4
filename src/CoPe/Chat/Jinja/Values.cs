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
    readonly OrderedDictionary<object, object?> _entries = new(KeyComparer.Instance);

    public int Count => _entries.Count;

    public IEnumerable<object?> Keys => _entries.Keys;

    public IEnumerable<object?> Values => _entries.Values;

    public IEnumerable<KeyValuePair<object, object?>> Entries => _entries;

    /// <summary>Tuples of key and value.</summary>
    public List<object?> Items => ToTuples(_entries);

    public object? this[string key]
    {
        set => _entries[key] = value;
    }

    public void Set(object? key, object? value)
    {
        if (key is not (string or long or bool or double))
        {
            throw new JinjaException($"unhashable type: '{PythonText.TypeName(key)}'");
        }

        _entries[key] = value;
    }

    public static List<object?> ToTuples(IEnumerable<KeyValuePair<object, object?>> entries) =>
        [.. entries.Select(object? (entry) => new object?[] { entry.Key, entry.Value })];

    public bool TryGet(object? key, out object? value)
    {
        value = null;
        return key is not null && _entries.TryGetValue(key, out value);
    }

    // Numbers are one key whatever their type.
    sealed class KeyComparer : IEqualityComparer<object>
    {
        public static readonly KeyComparer Instance = new();

        public new bool Equals(object? left, object? right) => Operators.AreEqual(left, right);

        public int GetHashCode(object key) =>
            Operators.TryNumber(key, out var number, out _) ? number.GetHashCode() : key.GetHashCode();
    }
}

/// <summary>A box whose attributes a template may set from inside a loop.</summary>
sealed class JinjaNamespace
{
    public Dictionary<string, object?> Attributes { get; } = new(StringComparer.Ordinal);
}

/// <summary>What some filters give in Python: true whatever is in it, countable only as a list.</summary>
sealed record Generator(IReadOnlyList<object?> Items);

/// <summary>Something a template can call.</summary>
sealed record Callable(string Name, Func<Arguments, object?> Invoke);

/// <summary>Arguments of a call.</summary>
sealed class Arguments(string callee, IReadOnlyList<object?> positional, IReadOnlyDictionary<string, object?> named)
{
    public IReadOnlyList<object?> Positional => positional;

    public IReadOnlyDictionary<string, object?> Named => named;

    /// <summary>The argument at a position or of a name, or the default.</summary>
    public object? Get(int index, string name, object? defaultValue = null)
    {
        if (index < positional.Count)
        {
            return positional[index];
        }

        return named.GetValueOrDefault(name, defaultValue);
    }

    public object? Require(int index, string name) =>
        index < positional.Count || named.ContainsKey(name)
            ? Get(index, name)
            : throw new JinjaException($"{callee}() is missing the argument '{name}'");

    public string RequireString(int index, string name) =>
        Require(index, name) is string text ? text : throw new JinjaException($"{callee}() needs text as '{name}'");

    public Arguments Skip(int index) => new(callee, [.. positional.Skip(index)], named);
}

/// <summary>An error while a template is rendered; the line is that of the <see cref="RenderState"/>.</summary>
sealed class JinjaException(string reason) : Exception(reason);

/// <summary>A template that cannot be parsed.</summary>
sealed class JinjaSyntaxException(string reason, int line) : Exception(reason)
{
    /// <summary>Line of the template, from 1.</summary>
    public int Line => line;
}
