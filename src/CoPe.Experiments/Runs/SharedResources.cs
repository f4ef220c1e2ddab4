namespace CoPe.Experiments.Runs;

/// <summary>
/// Things made once and used by several stages, by name: so the base weights are in memory once, whatever the number of
/// stages. Owns and disposes them, the last made first.
/// </summary>
public sealed class SharedResources : IDisposable
{
    readonly Dictionary<string, object> _things = [];
    readonly List<IDisposable> _owned = [];

    /// <summary>The thing of that name, made on first use.</summary>
    /// <exception cref="InvalidOperationException">The name stands for a thing of another type.</exception>
    public T Get<T>(string name, Func<T> make)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(make);
        if (_things.TryGetValue(name, out var found))
        {
            return found as T
                ?? throw new InvalidOperationException($"'{name}' is a {found.GetType().Name}, not a {typeof(T).Name}");
        }

        var made = make();
        _things.Add(name, made);
        if (made is IDisposable disposable)
        {
            _owned.Add(disposable);
        }

        return made;
    }

    /// <summary>
    /// Disposes the thing of that name, if it was made: to free memory before something else needs it.
    /// </summary>
    public void Release(string name)
    {
        if (!_things.Remove(name, out var thing) || thing is not IDisposable disposable)
        {
            return;
        }

        _owned.Remove(disposable);
        disposable.Dispose();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        for (var i = _owned.Count - 1; i >= 0; i--)
        {
            _owned[i].Dispose();
        }

        _owned.Clear();
        _things.Clear();
    }
}
