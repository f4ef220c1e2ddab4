namespace CoPe.Evaluation;

/// <summary>Right, wrong and missed answers of each label.</summary>
sealed class LabelCounts
{
    readonly Dictionary<string, int> places = new(StringComparer.Ordinal);
    readonly int[] right, wrong, missed;

    public LabelCounts(IEnumerable<string> labels)
    {
        foreach (var label in labels) places.TryAdd(label, places.Count);
        (right, wrong, missed) = (new int[places.Count], new int[places.Count], new int[places.Count]);
    }

    /// <summary>Counts an answer, or takes it out again with -1.</summary>
    public void Add(string predicted, string gold, int times)
    {
        if (predicted == gold)
        {
            if (places.TryGetValue(gold, out var place)) right[place] += times;
            return;
        }
        if (places.TryGetValue(predicted, out var one)) wrong[one] += times;
        if (places.TryGetValue(gold, out var other)) missed[other] += times;
    }

    /// <summary>The mean of the labels' F1.</summary>
    public double MacroF1()
    {
        var sum = 0.0;
        for (var i = 0; i < right.Length; i++)
            if (right[i] > 0) sum += 2.0 * right[i] / (2 * right[i] + wrong[i] + missed[i]);
        return sum / right.Length;
    }

    /// <summary>The same with one answer left out.</summary>
    public double Without(string predicted, string gold)
    {
        Add(predicted, gold, -1);
        var without = MacroF1();
        Add(predicted, gold, 1);
        return without;
    }
}
