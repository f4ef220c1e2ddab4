namespace CoPe.Training;

/// <summary>Splits the rows of a step into passes of similar lengths that keep to a budget of tokens and share the work evenly among workers.</summary>
internal static class PassPlanner
{
    /// <summary>Tokens in whose time a pass is started: some two thousand operations, mostly waiting for each other.</summary>
    const long TokensToStart = 40;

    /// <summary>Budgets that are tried, from that of the longest row alone to the whole one, in equal ratios.</summary>
    const int Tries = 48;

    /// <summary>
    /// Passes in which rows times longest row is at most <paramref name="maxTokens"/>; a row longer than that is a pass of its own. Longest rows come first,
    /// users in order within a pass. Several workers get passes that are shorter: of the budgets tried, the one by which the last worker is done first. Which pass a row is in changes nothing but
    /// the order of sums.
    /// </summary>
    public static IReadOnlyList<IReadOnlyList<PlannedRow>> Split(IEnumerable<PlannedRow> rows, int maxTokens, int workers = 1)
    {
        var sorted = rows.OrderByDescending(Width).ThenBy(row => row.User).ThenBy(row => row.Example).ToArray();
        if (sorted.Length == 0) return [];
        var budgets = workers == 1 ? [maxTokens] : Budgets(Math.Min(Width(sorted[0]), maxTokens), maxTokens);
        var passes = budgets.Select(budget => Cut(sorted, budget)).MinBy(cut => Duration(cut, workers))!;
        return [.. passes.Select(pass => pass.OrderBy(row => row.User).ThenBy(row => row.Example).ToArray())];
    }

    static IEnumerable<long> Budgets(long least, long most) =>
        Enumerable.Range(0, Tries).Select(i => (long)(most * Math.Pow((double)least / most, i / (Tries - 1.0)))).Distinct();

    static List<List<PlannedRow>> Cut(PlannedRow[] sorted, long budget)
    {
        var passes = new List<List<PlannedRow>>();
        foreach (var row in sorted)
        {
            if (passes.Count == 0 || (passes[^1].Count + 1) * Width(passes[^1][0]) > budget) passes.Add([]);
            passes[^1].Add(row);
        }

        return passes;
    }

    /// <summary>Padded tokens until the last worker is done, where each takes the next pass when he is free.</summary>
    static long Duration(List<List<PlannedRow>> passes, int workers)
    {
        var busy = new long[workers];
        foreach (var pass in passes)
        {
            Array.Sort(busy);
            busy[0] += pass.Count * Width(pass[0]) + TokensToStart;
        }

        return busy.Max();
    }

    static long Width(PlannedRow row) => row.Row.Ids.Length;
}
