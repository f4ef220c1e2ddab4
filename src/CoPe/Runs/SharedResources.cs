namespace CoPe.Runs;

/// <summary>Things made once and used by several stages, by name: so the base weights are in memory once, whatever the number of stages. Owns and disposes them, the last made first.</summary>
public sealed class SharedResources : IDisposable
{
    readonly Dictionary<string, object> things = [];
    readonly List<IDisposable> owned = [];

    /// <summary>The thing of that name, made on first use.</summary>
    /// <exception cref="InvalidOperationException">The name stands for a thing of another type.</exception>
    public T Get<T>(string name, Func<T> make)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(make);
        if (things.TryGetValue(name, out var found))
            return found as T ?? throw new InvalidOperationException($"'{name}' is a {found.GetType().Name}, not a {typeof(T).Name}");
        var made = make();
        things.Add(name, made);
        if (made is IDisposable disposable) owned.Add(disposable);
        return made;
    }

    /// <summary>Disposes the thing of that name, if it was made: to free memory before something else needs it.</summary>
    public void Release(string name)
    {
        if (!things.Remove(name, out var thing) || thing is not IDisposable disposable) return;
        owned.Remove(disposable);
        disposable.Dispose();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        for (var i = owned.Count - 1; i >= 0; i--) owned[i].Dispose();
        owned.Clear();
        things.Clear();
    }
}
