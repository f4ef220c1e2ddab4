namespace CoPe.Training;

/// <summary>Splits the rows of a step into passes of similar lengths that keep to a budget of tokens and share the work evenly among workers.</summary>
internal static class PassPlanner
{
    /// <summary>Padded tokens below which a pass is not split further for the sake of another worker: its operations would take longer to start than to run.</summary>
    const long LeastTokensPerPass = 256;

    /// <summary>
    /// Passes in which rows times longest row is at most <paramref name="maxTokens"/>; a row longer than that is a pass of its own. Longest rows come first,
    /// users in order within a pass. Which pass a row is in changes nothing but the order of sums.
    /// </summary>
    public static IReadOnlyList<IReadOnlyList<PlannedRow>> Split(IEnumerable<PlannedRow> rows, int maxTokens, int workers = 1)
    {
        var sorted = rows.OrderByDescending(Width).ThenBy(row => row.User).ThenBy(row => row.Example).ToArray();
        var budget = Budget(sorted, maxTokens, workers);
        var passes = new List<List<PlannedRow>>();
        foreach (var row in sorted)
        {
            if (passes.Count == 0 || (passes[^1].Count + 1) * Width(passes[^1][0]) > budget) passes.Add([]);
            passes[^1].Add(row);
        }
        return [.. passes.Select(pass => pass.OrderBy(row => row.User).ThenBy(row => row.Example).ToArray())];
    }

    /// <summary>The smallest budget, in steps of the longest row, that gives each worker as many passes as the others if the whole is large enough to share.</summary>
    static long Budget(PlannedRow[] sorted, int maxTokens, int workers)
    {
        if (sorted.Length == 0 || workers == 1) return maxTokens;
        var total = sorted.Sum(Width);
        var rounds = (total + (long)maxTokens * workers - 1) / ((long)maxTokens * workers);
        var share = total / (rounds * workers) + Width(sorted[0]); // a pass ends with the row that would overflow it
        return Math.Clamp(share, Math.Min(LeastTokensPerPass, maxTokens), maxTokens);
    }

    static long Width(PlannedRow row) => row.Row.Ids.Length;
}
