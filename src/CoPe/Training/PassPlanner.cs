using CoPe.Modeling;

namespace CoPe.Training;

/// <summary>Splits the rows of a step into passes.</summary>
internal static class PassPlanner
{
    /// <summary>Passes as <see cref="PassCut"/> cuts them: longest rows first, users in order within a pass.</summary>
    public static IReadOnlyList<IReadOnlyList<PlannedRow>> Split(IEnumerable<PlannedRow> rows, int maxTokens, int workers = 1)
    {
        var sorted = rows.OrderByDescending(Width).ThenBy(row => row.User).ThenBy(row => row.Example).ToArray();
        var passes = new List<IReadOnlyList<PlannedRow>>();
        var first = 0;
        foreach (var count in PassCut.Of([.. sorted.Select(Width)], maxTokens, workers))
        {
            passes.Add([.. sorted[first..(first + count)].OrderBy(row => row.User).ThenBy(row => row.Example)]);
            first += count;
        }

        return passes;
    }

    static int Width(PlannedRow row) => row.Row.Ids.Length;
}
