using CoPe.Adapters;

namespace CoPe.Decoding;

/// <summary>
/// Which rows copy the beginning of their prompt from a row on whose prompt the same adapters act, so that a common
/// prefix of prompts is computed once for all of them.
/// </summary>
static class PrefixPlan
{
    /// <summary>
    /// A row waits for a later wave, which is a pass more, only if that saves it more tokens than this.
    /// </summary>
    public const int MinTokensSaved = 32;

    /// <summary>
    /// The new rows in the order in which they follow the running ones: wave by wave, within a wave those with most to
    /// compute first. A row copies from running rows and from rows of earlier waves only.
    /// </summary>
    /// <param name="running">Rows 0, 1, 2, ..., whose prompts are computed.</param>
    /// <param name="newRows">The rows to add.</param>
    /// <param name="kept">What earlier calls computed (<see cref="PromptCache"/>).</param>
    public static IReadOnlyList<PlannedPrefill> Create(
        IEnumerable<PromptRow> running,
        IReadOnlyList<PromptRow> newRows,
        params IReadOnlyList<PromptRow> kept
    )
    {
        var ready = running.Select((row, number) => new Source(row, number, 0)).ToList();
        var sources = ready
            .Concat(kept.Select((row, index) => new Source(row, -1, 0) { Kept = index }))
            .GroupBy(source => source.Row.Adapters.OnPrompt)
            .ToDictionary(group => group.Key, group => group.ToList());
        var planned = new List<PlannedPrefill>();
        foreach (var (index, row) in newRows.Index().OrderByDescending(pair => pair.Item.Columns))
        {
            if (!sources.TryGetValue(row.Adapters.OnPrompt, out var ofSameAdapters))
            {
                ofSameAdapters = [];
                sources[row.Adapters.OnPrompt] = ofSameAdapters;
            }
            var plan = ChooseSource(index, row, ofSameAdapters);
            planned.Add(plan);
            if (plan.Computed > 0)
            {
                // A mere copy offers nothing that its original does not.
                ofSameAdapters.Add(new Source(row, ready.Count + index, plan.Wave));
            }
        }
        return AssignRows(planned, ready.Count);
    }

    static PlannedPrefill ChooseSource(int index, PromptRow row, List<Source> sources)
    {
        var best = new PlannedPrefill(index, -1, 0, row.Columns, 0);
        var bestGain = 0;
        foreach (var source in sources)
        {
            var shared = source.Row.CommonPrefix(row);
            if (shared == 0)
            {
                continue;
            }

            // What is copied whole needs no pass.
            var gain = shared == row.Columns ? int.MaxValue : shared - MinTokensSaved * (source.Wave + 1);
            if (gain <= bestGain)
            {
                continue;
            }

            best = new PlannedPrefill(index, source.Number, shared, row.Columns - shared, source.Wave + 1)
            {
                Kept = source.Kept,
            };
            bestGain = gain;
        }
        return best;
    }

    /// <summary>
    /// In the order of their rows; numbers from <paramref name="first"/> on, which meant newRows, become rows.
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

    readonly record struct Source(PromptRow Row, int Number, int Wave)
    {
        /// <summary>Which of the kept prompts it is; null for a row.</summary>
        public int? Kept { get; init; }
    }
}

/// <summary>How a new row gets its prompt.</summary>
/// <param name="Row">Which of the new rows it is.</param>
/// <param name="SourceRow">Row that it copies the beginning of its prompt from; -1 for no row.</param>
/// <param name="Shared">Columns that it copies.</param>
/// <param name="Computed">Columns that it computes after those.</param>
/// <param name="Wave">0 where nothing is copied, else one more than the row copied from, which must be ready.</param>
readonly record struct PlannedPrefill(int Row, int SourceRow, int Shared, int Computed, int Wave)
{
    /// <summary>Which of the kept prompts it copies from instead of a row.</summary>
    public int? Kept { get; init; }

    /// <summary>Columns of its prompt.</summary>
    public int Columns => Shared + Computed;
}

/// <summary>
/// The prompt of a row and its adapters: rows on whose columns the same adapters act compute the same from the same
/// tokens.
/// </summary>
readonly record struct PromptRow(IReadOnlyList<int> Prompt, PromptAdapters Adapters)
{
    /// <summary>Whether its keys are rotated as those of a text beyond the original context (LongRoPE).</summary>
    public bool IsExtended { get; init; }

    /// <summary>Tokens to compute before the first step, which feeds the last one.</summary>
    public int Columns => Prompt.Count - 1;

    /// <summary>Whether its first columns are all those of another.</summary>
    public bool BeginsWith(PromptRow other) =>
        IsExtended == other.IsExtended
        && Adapters.OnPrompt == other.Adapters.OnPrompt
        && CommonPrefix(other) == other.Columns;

    /// <summary>
    /// How many of the first columns are the same in both prompts, where the same adapters act on the whole of them.
    /// </summary>
    public int CommonPrefix(PromptRow other)
    {
        if (IsExtended != other.IsExtended)
        {
            return 0;
        }

        var most = Math.Min(Columns, other.Columns);
        if (Adapters != other.Adapters)
        {
            most = Math.Min(most, Math.Min(Adapters.AnswerStart, other.Adapters.AnswerStart));
        }

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
