namespace CoPe.Scoring;

/// <summary>
/// Splits rows into passes of similar lengths that keep to a budget of tokens and occupy all workers. Which pass a row
/// is in changes nothing but the order of sums.
/// </summary>
static class PassSplitter
{
    /// <summary>
    /// Tokens that could be computed in the time that starting a pass takes: some two thousand operations, mostly
    /// waiting for each other.
    /// </summary>
    const long StartupTokens = 40;

    /// <summary>Budgets that are tried, from that of the longest row alone to the whole one, in equal ratios.</summary>
    const int BudgetCount = 48;

    /// <summary>The rows, longest first, pass by pass; see <see cref="Split"/>.</summary>
    public static IReadOnlyList<IReadOnlyList<TRow>> SplitRows<TRow>(
        IReadOnlyList<TRow> rows,
        Func<TRow, int> getLength,
        int maxTokens,
        int workers
    )
    {
        var passes = new List<IReadOnlyList<TRow>>();
        var first = 0;
        foreach (var count in Split([.. rows.Select(getLength)], maxTokens, workers))
        {
            passes.Add([.. rows.Skip(first).Take(count)]);
            first += count;
        }
        return passes;
    }

    /// <summary>
    /// How many of the rows, longest first, go into each pass. Rows times longest row is at most
    /// <paramref name="maxTokens"/>; a row longer than that is a pass of its own. One worker gets passes as large as
    /// that; several get smaller ones: of the budgets tried, those of the one by which the last worker is done first.
    /// </summary>
    /// <param name="lengths">Length of each row, descending.</param>
    /// <param name="maxTokens">Budget of a pass, padding included.</param>
    /// <param name="workers">How many passes are computed at once.</param>
    public static IReadOnlyList<int> Split(IReadOnlyList<int> lengths, int maxTokens, int workers)
    {
        if (lengths.Count == 0)
        {
            return [];
        }
        if (workers == 1)
        {
            return SplitByBudget(lengths, maxTokens);
        }
        return EnumerateBudgets(Math.Min(lengths[0], maxTokens), maxTokens)
            .Select(budget => SplitByBudget(lengths, budget))
            .MinBy(counts => EstimateDuration(lengths, counts, workers))!;
    }

    static IEnumerable<long> EnumerateBudgets(double least, double most) =>
        Enumerable
            .Range(0, BudgetCount)
            .Select(i => (long)(most * Math.Pow(least / most, i / (BudgetCount - 1.0))))
            .Distinct();

    static List<int> SplitByBudget(IReadOnlyList<int> lengths, long budget)
    {
        var counts = new List<int>();
        var first = 0;
        while (first < lengths.Count)
        {
            var rowsWithinBudget = budget / Math.Max(1, lengths[first]);
            var count = (int)Math.Clamp(rowsWithinBudget, 1, lengths.Count - first);
            counts.Add(count);
            first += count;
        }
        return counts;
    }

    /// <summary>Padded tokens until the last worker is done, where each takes the next pass when it is free.</summary>
    static long EstimateDuration(IReadOnlyList<int> lengths, List<int> counts, int workers)
    {
        var busyUntil = new long[workers];
        var first = 0;
        foreach (var count in counts)
        {
            Array.Sort(busyUntil);
            busyUntil[0] += (long)count * lengths[first] + StartupTokens;
            first += count;
        }
        return busyUntil.Max();
    }
}
