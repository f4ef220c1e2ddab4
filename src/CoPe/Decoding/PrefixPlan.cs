using CoPe.Adapters;

namespace CoPe.Decoding;

/// <summary>
/// Which rows copy the beginning of their prompt from a row that wears the same adapters, so that what prompts have in
/// common is computed once per set of adapters.
/// </summary>
static class PrefixPlan
{
    /// <summary>
    /// A row waits for a later wave, which is a pass more, only if that spares it more tokens than this.
    /// </summary>
    public const int MinTokensSaved = 32;

    /// <summary>
    /// The newcomers in the order of the rows they are to take, which follow the running ones: wave by wave, within a
    /// wave those with most to compute first. A row copies from running rows and
    /// from rows of earlier waves only.
    /// </summary>
    /// <param name="running">Rows 0, 1, 2, ..., whose prompts are computed.</param>
    /// <param name="newcomers">The rows to come.</param>
    public static IReadOnlyList<PlannedPrefill> Create(
        IEnumerable<PromptRow> running,
        IReadOnlyList<PromptRow> newcomers
    )
    {
        var ready = running.Select((row, number) => new Source(row, number, 0)).ToList();
        var sources = ready
            .GroupBy(source => source.Row.Adapters)
            .ToDictionary(group => group.Key, group => group.ToList());
        var planned = new List<PlannedPrefill>();
        foreach (
            var (row, index) in newcomers
                .Select((row, index) => (row, index))
                .OrderByDescending(pair => pair.row.Columns)
        )
        {
            if (!sources.TryGetValue(row.Adapters, out var alike))
            {
                sources[row.Adapters] = alike = [];
            }

            var plan = Choose(index, row, alike);
            planned.Add(plan);
            if (plan.Computed > 0)
            {
                // A mere copy offers nothing that its original does not.
                alike.Add(new Source(row, ready.Count + index, plan.Wave));
            }
        }
        return AssignRows(planned, ready.Count);
    }

    static PlannedPrefill Choose(int newcomer, PromptRow row, List<Source> sources)
    {
        var best = new PlannedPrefill(newcomer, -1, 0, row.Columns, 0);
        var most = 0;
        foreach (var source in sources)
        {
            var shared = source.Row.CommonPrefix(row);
            if (shared == 0)
            {
                continue;
            }

            // What is copied whole needs no pass.
            var gain = shared == row.Columns ? int.MaxValue : shared - MinTokensSaved * (source.Wave + 1);
            if (gain <= most)
            {
                continue;
            }

            (best, most) = (
                new PlannedPrefill(newcomer, source.Number, shared, row.Columns - shared, source.Wave + 1),
                gain
            );
        }
        return best;
    }

    /// <summary>
    /// In the order of their rows; numbers from <paramref name="first"/> on, which meant newcomers, become rows.
    /// </summary>
    static List<PlannedPrefill> AssignRows(List<PlannedPrefill> planned, int first)
    {
        var ordered = planned.OrderBy(row => row.Wave).ThenByDescending(row => row.Computed).ToList();
        var rowOf = new int[ordered.Count];
        for (var i = 0; i < ordered.Count; i++)
        {
            rowOf[ordered[i].Row] = first + i;
        }

        return
        [
            .. ordered.Select(row =>
                row.SourceRow < first ? row : row with { SourceRow = rowOf[row.SourceRow - first] }
            ),
        ];
    }

    readonly record struct Source(PromptRow Row, int Number, int Wave);
}

/// <summary>How a new row comes by its prompt.</summary>
/// <param name="Row">Which newcomer it is.</param>
/// <param name="SourceRow">Row that it copies the beginning of its prompt from; -1 for none.</param>
/// <param name="Shared">Columns that it copies.</param>
/// <param name="Computed">Columns that it computes after those.</param>
/// <param name="Wave">0 where nothing is copied, else one more than the row copied from, which must be ready.</param>
readonly record struct PlannedPrefill(int Row, int SourceRow, int Shared, int Computed, int Wave)
{
    /// <summary>Columns of its prompt.</summary>
    public int Columns => Shared + Computed;
}

/// <summary>
/// A row as far as its prompt goes: rows that wear the same adapters compute the same from the same tokens.
/// </summary>
readonly record struct PromptRow(IReadOnlyList<int> Prompt, AdapterSelection Adapters)
{
    /// <summary>Tokens to compute before the first step, which feeds the last one.</summary>
    public int Columns => Prompt.Count - 1;

    /// <summary>How many of the first columns are the same in both prompts.</summary>
    public int CommonPrefix(PromptRow other)
    {
        var most = Math.Min(Columns, other.Columns);
        if (ReferenceEquals(Prompt, other.Prompt))
        {
            return most;
        }

        var same = 0;
        while (same < most && Prompt[same] == other.Prompt[same])
        {
            same++;
        }

        return same;
    }
}
