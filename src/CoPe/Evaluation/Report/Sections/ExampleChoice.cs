namespace CoPe.Evaluation.Report.Sections;

/// <summary>Which examples a report shows where there are too many.</summary>
internal static class ExampleChoice
{
    /// <summary>
    /// At most <paramref name="limit"/> examples in their order: the first of every user, then the second of every user, and so on.
    /// </summary>
    public static IReadOnlyList<ReportExample> Spread(IReadOnlyList<ReportExample> examples, int limit)
    {
        if (examples.Count <= limit)
            return examples;
        var seen = new Dictionary<string, int>(StringComparer.Ordinal);
        var rounds = new (int Round, int Index)[examples.Count];
        for (var index = 0; index < examples.Count; index++)
        {
            var round = seen.GetValueOrDefault(examples[index].User);
            rounds[index] = (round, index);
            seen[examples[index].User] = round + 1;
        }
        return [.. rounds.Order().Take(limit).Select(entry => entry.Index).Order().Select(index => examples[index])];
    }
}
