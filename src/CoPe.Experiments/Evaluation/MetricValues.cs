using System.Collections;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;

namespace CoPe.Experiments.Evaluation;

/// <summary>
/// Values by name, in the order given. Those with the same names share them, so that the scores of a million answers
/// take little more than their numbers.
/// </summary>
sealed class MetricValues : IReadOnlyDictionary<string, double>
{
    static ImmutableArray<string[]> _known = [];

    readonly string[] _names;
    readonly double[] _values;

    /// <summary>Copies the values; names must differ.</summary>
    public MetricValues(IEnumerable<KeyValuePair<string, double>> values)
    {
        List<KeyValuePair<string, double>> pairs = [.. values];
        _names = Share([.. pairs.Select(pair => pair.Key)]);
        _values = [.. pairs.Select(pair => pair.Value)];
    }

    /// <inheritdoc/>
    public int Count => _names.Length;

    /// <inheritdoc/>
    public IEnumerable<string> Keys => _names;

    /// <inheritdoc/>
    public IEnumerable<double> Values => _values;

    /// <inheritdoc/>
    public double this[string key] =>
        TryGetValue(key, out var value) ? value : throw new KeyNotFoundException($"There is no value of {key}.");

    /// <inheritdoc/>
    public bool ContainsKey(string key) => Array.IndexOf(_names, key) >= 0;

    /// <inheritdoc/>
    public bool TryGetValue(string key, [MaybeNullWhen(false)] out double value)
    {
        var place = Array.IndexOf(_names, key);
        value = place < 0 ? 0 : _values[place];
        return place >= 0;
    }

    /// <inheritdoc/>
    public IEnumerator<KeyValuePair<string, double>> GetEnumerator() =>
        _names.Zip(_values, KeyValuePair.Create).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    static string[] Share(string[] names)
    {
        foreach (var known in _known)
        {
            if (known.AsSpan().SequenceEqual(names))
            {
                return known;
            }
        }

        // Names that two threads meet at once may be kept twice, or once more; nothing depends on it.
        ImmutableInterlocked.Update(ref _known, all => all.Length < MaxKnown ? all.Add(names) : all);
        return names;
    }

    /// <summary>Most sets of names that are looked through.</summary>
    const int MaxKnown = 64;
}
