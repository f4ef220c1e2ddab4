namespace CoPe.Decoding;

/// <summary>Which rows copy the beginning of their prompt from a row that wears the same adapters, so that what prompts have in common is computed once per set of adapters.</summary>
static class PrefixPlan
{
    /// <summary>A row waits for a later wave, which is a pass more, only if that spares it more tokens than this.</summary>
    public const int WorthAPass = 32;

    /// <summary>
    /// The newcomers in the order of the rows they are to take, which follow the running ones: wave by wave, within a wave those with most to compute first. A row copies from running rows and
    /// from rows of earlier waves only.
    /// </summary>
    /// <param name="running">Rows 0, 1, 2, ..., whose prompts are computed.</param>
    /// <param name="newcomers">The rows to come.</param>
    public static IReadOnlyList<PlacedPrompt> Of(IEnumerable<PromptRow> running, IReadOnlyList<PromptRow> newcomers)
    {
        var ready = running.Select((row, number) => new Source(row, number, 0)).ToList();
        var sources = ready.GroupBy(source => source.Row.Worn).ToDictionary(group => group.Key, group => group.ToList());
        var planned = new List<PlacedPrompt>();
        foreach (var (row, index) in newcomers.Select((row, index) => (row, index)).OrderByDescending(pair => pair.row.Columns))
        {
            if (!sources.TryGetValue(row.Worn, out var alike)) sources[row.Worn] = alike = [];
            var plan = Choose(index, row, alike);
            planned.Add(plan);
            if (plan.Own > 0) alike.Add(new Source(row, ready.Count + index, plan.Wave)); // a mere copy offers nothing that its original does not
        }
        return Placed(planned, ready.Count);
    }

    static PlacedPrompt Choose(int newcomer, PromptRow row, List<Source> sources)
    {
        var best = new PlacedPrompt(newcomer, -1, 0, row.Columns, 0);
        var most = 0;
        foreach (var source in sources)
        {
            var shared = source.Row.InCommon(row);
            if (shared == 0) continue;
            var gain = shared == row.Columns ? int.MaxValue : shared - WorthAPass * (source.Wave + 1); // what is copied whole needs no pass
            if (gain <= most) continue;
            (best, most) = (new PlacedPrompt(newcomer, source.Number, shared, row.Columns - shared, source.Wave + 1), gain);
        }
        return best;
    }

    /// <summary>In the order of their rows; numbers from <paramref name="first"/> on, which meant newcomers, become rows.</summary>
    static List<PlacedPrompt> Placed(List<PlacedPrompt> planned, int first)
    {
        var ordered = planned.OrderBy(row => row.Wave).ThenByDescending(row => row.Own).ToList();
        var rowOf = new int[ordered.Count];
        for (var i = 0; i < ordered.Count; i++) rowOf[ordered[i].Newcomer] = first + i;
        return [.. ordered.Select(row => row.From < first ? row : row with { From = rowOf[row.From - first] })];
    }

    readonly record struct Source(PromptRow Row, int Number, int Wave);
}
