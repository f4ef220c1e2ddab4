namespace CoPe.Experiments.Runs;

/// <summary>Something disposable that is loaded on first use, and again after it was released.</summary>
/// <param name="load">Loads it.</param>
sealed class LoadedOnce<T>(Func<T> load)
    where T : class, IDisposable
{
    T? _value;

    /// <summary>The value, loaded where it is not.</summary>
    public T Value => _value ??= load();

    /// <summary>Disposes the value where it is loaded.</summary>
    public void Release()
    {
        _value?.Dispose();
        _value = null;
    }
}
