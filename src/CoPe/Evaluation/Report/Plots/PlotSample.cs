namespace CoPe.Evaluation.Report.Plots;

/// <summary>Fewer marks where a drawing cannot show them all.</summary>
internal static class PlotSample
{
    /// <summary>At most <paramref name="limit"/> items, evenly by position, the first and the last among them.</summary>
    public static IReadOnlyList<T> Evenly<T>(IReadOnlyList<T> items, int limit) => items.Count <= limit
        ? items
        : [.. Enumerable.Range(0, limit).Select(index => items[(int)((long)index * (items.Count - 1) / (limit - 1))])];
}
