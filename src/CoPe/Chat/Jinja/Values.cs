namespace CoPe.Chat.Jinja;

// Values are Python's: null is None; bool, long, double, string; List<object?> a list, object?[] a tuple; and the types
// below.

/// <summary>
/// What a missing name or member gives: prints nothing, is false, and complains once something is asked of it.
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

    public object? this[string key]
    {
        set => _entries[key] = value;
    }

    public void Set(object? key, object? value) =>
        _entries[
            key is string or long or bool or double
                ? key
                : throw new JinjaException($"unhashable type: '{PythonText.TypeName(key)}'")
        ] = value;

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
    public object? Get(int index, string name, object? absent = null) =>
        index < positional.Count ? positional[index]
        : named.TryGetValue(name, out var value) ? value
        : absent;

    public object? Require(int index, string name) =>
        index < positional.Count || named.ContainsKey(name)
            ? Get(index, name)
            : throw new JinjaException($"{callee}() is missing the argument '{name}'");

    public string RequireString(int index, string name) =>
        Require(index, name) is string text ? text : throw new JinjaException($"{callee}() needs text as '{name}'");

    public Arguments Skip(int index) => new(callee, [.. positional.Skip(index)], named);
}

/// <summary>An error while a template runs; whoever runs it adds the line.</summary>
sealed class JinjaException(string reason) : Exception(reason);
