namespace CoPe.Training;

/// <summary>Splits the rows of a step into passes of similar lengths that keep to a budget of tokens.</summary>
internal static class PassPlanner
{
    /// <summary>Passes in which rows times longest row is at most <paramref name="maxTokens"/>; a row longer than that is a pass of its own.</summary>
    public static IReadOnlyList<IReadOnlyList<PlannedRow>> Split(IEnumerable<PlannedRow> rows, int maxTokens)
    {
        var passes = new List<IReadOnlyList<PlannedRow>>();
        var pass = new List<PlannedRow>();
        foreach (var row in rows.OrderByDescending(row => row.Row.Ids.Length).ThenBy(row => row.User).ThenBy(row => row.Example))
        {
            if (pass.Count > 0 && (pass.Count + 1) * (long)pass[0].Row.Ids.Length > maxTokens)
            {
                passes.Add(ByUser(pass));
                pass = [];
            }
            pass.Add(row);
        }
        if (pass.Count > 0) passes.Add(ByUser(pass));
        return passes;
    }

    /// <summary>Rows of one user next to each other: their adapters are then read in one piece.</summary>
    static List<PlannedRow> ByUser(List<PlannedRow> pass) => [.. pass.OrderBy(row => row.User).ThenBy(row => row.Example)];
}
