namespace CoPe.Experiments.Evaluation;

/// <summary>
/// How often predicted labels are right. Labels are compared as they are written, spaces around them aside.
/// </summary>
public static class ClassificationMetrics
{
    /// <summary>Share of right labels.</summary>
    /// <param name="predicted">Predicted labels.</param>
    /// <param name="golds">Real labels, as many.</param>
    /// <exception cref="ArgumentException">The lists are empty or not of one length.</exception>
    public static double Accuracy(IReadOnlyList<string> predicted, IReadOnlyList<string> golds)
    {
        Check(predicted, golds);
        return predicted.Zip(golds, IsCorrect).Average(right => right ? 1.0 : 0);
    }

    /// <summary>
    /// F1 of each label, averaged over the labels. <code>F1 = 2 tp / (2 tp + fp + fn), 0 where that is 0 / 0</code>
    /// </summary>
    /// <param name="predicted">
    /// Predicted labels; one that is no label is a miss of the real label and of no other.
    /// </param>
    /// <param name="golds">Real labels, as many.</param>
    /// <param name="labels">All labels; null takes those of the golds.</param>
    /// <exception cref="ArgumentException">The lists are empty or not of one length.</exception>
    public static double MacroF1(
        IReadOnlyList<string> predicted,
        IReadOnlyList<string> golds,
        IReadOnlyList<string>? labels = null
    )
    {
        Check(predicted, golds);
        return Count(predicted, golds, labels).MacroF1();
    }

    /// <summary>Whether a label is the right one.</summary>
    internal static bool IsCorrect(string predicted, string gold) =>
        predicted.AsSpan().Trim().SequenceEqual(gold.AsSpan().Trim());

    /// <summary>Macro F1 with its jackknife standard error.</summary>
    internal static MeanWithError MacroF1WithError(
        IReadOnlyList<string> predicted,
        IReadOnlyList<string> golds,
        IReadOnlyList<string>? labels
    )
    {
        Check(predicted, golds);
        var counts = Count(predicted, golds, labels);
        var without = new Dictionary<(string, string), double>();
        var leftOut = new double[golds.Count];
        for (var i = 0; i < golds.Count; i++)
        {
            var pair = (predicted[i].Trim(), golds[i].Trim());
            if (!without.TryGetValue(pair, out leftOut[i]))
            {
                without[pair] = leftOut[i] = counts.MacroF1Without(pair.Item1, pair.Item2);
            }
        }
        return new(counts.MacroF1(), Jackknife.StandardError(leftOut), golds.Count);
    }

    static LabelCounts Count(
        IReadOnlyList<string> predicted,
        IReadOnlyList<string> golds,
        IReadOnlyList<string>? labels
    )
    {
        var counts = new LabelCounts((labels ?? golds).Select(label => label.Trim()));
        for (var i = 0; i < golds.Count; i++)
        {
            counts.Add(predicted[i].Trim(), golds[i].Trim(), 1);
        }

        return counts;
    }

    static void Check(IReadOnlyList<string> predicted, IReadOnlyList<string> golds)
    {
        if (predicted.Count != golds.Count || golds.Count == 0)
        {
            throw new ArgumentException(
                $"Found {predicted.Count} predicted and {golds.Count} real labels; expected one or more, as many of each."
            );
        }
    }
}

/// <summary>Right, wrong and missed answers of each label.</summary>
sealed class LabelCounts
{
    readonly Dictionary<string, int> _places = new(StringComparer.Ordinal);
    readonly int[] _right,
        _wrong,
        _missed;

    public LabelCounts(IEnumerable<string> labels)
    {
        foreach (var label in labels)
        {
            _places.TryAdd(label, _places.Count);
        }

        (_right, _wrong, _missed) = (new int[_places.Count], new int[_places.Count], new int[_places.Count]);
    }

    /// <summary>Counts an answer, or takes it out again with -1.</summary>
    public void Add(string predicted, string gold, int times)
    {
        if (predicted == gold)
        {
            if (_places.TryGetValue(gold, out var place))
            {
                _right[place] += times;
            }

            return;
        }
        if (_places.TryGetValue(predicted, out var one))
        {
            _wrong[one] += times;
        }

        if (_places.TryGetValue(gold, out var other))
        {
            _missed[other] += times;
        }
    }

    /// <summary>The mean of the labels' F1.</summary>
    public double MacroF1()
    {
        var sum = 0.0;
        for (var i = 0; i < _right.Length; i++)
        {
            if (_right[i] > 0)
            {
                sum += 2.0 * _right[i] / (2 * _right[i] + _wrong[i] + _missed[i]);
            }
        }

        return sum / _right.Length;
    }

    /// <summary>The same with one answer left out.</summary>
    public double MacroF1Without(string predicted, string gold)
    {
        Add(predicted, gold, -1);
        var without = MacroF1();
        Add(predicted, gold, 1);
        return without;
    }
}
