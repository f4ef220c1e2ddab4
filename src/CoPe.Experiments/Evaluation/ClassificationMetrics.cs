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
        var withoutPair = new Dictionary<(string Predicted, string Gold), double>();
        var leaveOneOut = new double[golds.Count];
        for (var i = 0; i < golds.Count; i++)
        {
            var pair = (Predicted: predicted[i].Trim(), Gold: golds[i].Trim());
            if (!withoutPair.TryGetValue(pair, out var value))
            {
                value = counts.MacroF1Without(pair.Predicted, pair.Gold);
                withoutPair[pair] = value;
            }

            leaveOneOut[i] = value;
        }

        return new(counts.MacroF1(), Jackknife.StandardError(leaveOneOut), golds.Count);
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
                $"Found {predicted.Count} predicted and {golds.Count} real labels; "
                    + "expected one or more, as many of each."
            );
        }
    }
}

/// <summary>True positives, false positives and false negatives of each label.</summary>
sealed class LabelCounts
{
    readonly Dictionary<string, int> _indices = new(StringComparer.Ordinal);
    readonly int[] _truePositives;
    readonly int[] _falsePositives;
    readonly int[] _falseNegatives;

    public LabelCounts(IEnumerable<string> labels)
    {
        foreach (var label in labels)
        {
            _indices.TryAdd(label, _indices.Count);
        }

        _truePositives = new int[_indices.Count];
        _falsePositives = new int[_indices.Count];
        _falseNegatives = new int[_indices.Count];
    }

    /// <summary>Counts an answer, or takes it out again with -1. Labels that are not known are ignored.</summary>
    public void Add(string predicted, string gold, int times)
    {
        if (predicted == gold)
        {
            Add(_truePositives, gold, times);
            return;
        }

        Add(_falsePositives, predicted, times);
        Add(_falseNegatives, gold, times);
    }

    /// <summary>The mean of the labels' F1.</summary>
    public double MacroF1()
    {
        var sum = 0.0;
        for (var i = 0; i < _truePositives.Length; i++)
        {
            if (_truePositives[i] > 0)
            {
                sum += 2.0 * _truePositives[i] / (2 * _truePositives[i] + _falsePositives[i] + _falseNegatives[i]);
            }
        }

        return sum / _truePositives.Length;
    }

    /// <summary>The same with one answer left out.</summary>
    public double MacroF1Without(string predicted, string gold)
    {
        Add(predicted, gold, -1);
        var without = MacroF1();
        Add(predicted, gold, 1);
        return without;
    }

    void Add(int[] counts, string label, int times)
    {
        if (_indices.TryGetValue(label, out var index))
        {
            counts[index] += times;
        }
    }
}
