using CoPe.Adapters;
using CoPe.Kernels.Gemm;
using CoPe.Kernels.Threads;
using CoPe.Modeling;
using static TorchSharp.torch;

namespace CoPe.Decoding;

/// <summary>
/// The rows now being decoded: rows 0 to n - 1 of one cache, experts and amateurs of many users mixed. Sequences join
/// at the end and leave anywhere; the last row then takes the free place. A prompt's last token is fed by the first
/// step, so prefill computes no logits and joining needs no step of its own.
/// </summary>
/// <param name="model">The model.</param>
/// <param name="options">The engine's.</param>
/// <param name="mostRows">Rows that there can be at once, until it grows.</param>
/// <param name="capacity">Positions that a row can hold, until it grows.</param>
/// <param name="kept">
/// What to copy of what earlier calls computed; null: whatever the prompt cache has when rows join.
/// </param>
sealed class RunningBatch(CausalLm model, EngineOptions options, int mostRows, int capacity, RentedPrompts? kept = null)
    : IDisposable
{
    readonly List<(RunningSequence Sequence, int Role)> _rows = [];
    readonly PassProfiler? _profiler = options.Trace is null ? null : new PassProfiler();
    readonly PassProfiler? _prefillProfiler = options.Trace is null ? null : new PassProfiler();
    KvCache _cache = new(model, mostRows, capacity);
    AdapterRows? _adapters;
    List<SamplingGroup>? _groups;
    PromptWork _promptWork;
    long _steps;
    long _rowSteps;

    /// <summary>Positions that a row can hold.</summary>
    public int Capacity => _cache.Capacity;

    /// <summary>Rows that there can be at once.</summary>
    public int MostRows => _cache.RowCount;

    public int RowCount => _rows.Count;

    bool UsesKernelThreads =>
        model.Device.type == TorchSharp.DeviceType.CPU
        && (model.Quantization is not null || SkinnyGemm.IsFaster(RowCount, model.Config.HiddenSize));

    /// <summary>
    /// Adds sequences and computes their prompts but for the last token. A common beginning of prompts is computed once
    /// for all rows on which the same adapters act there, and copied (<see cref="PrefixPlan"/>), as is what the prompt
    /// cache has of them.
    /// </summary>
    public void Add(IEnumerable<RunningSequence> sequences)
    {
        using var section = _prefillProfiler?.Enter("batch");
        ResetLayout();
        var newRows = sequences
            .SelectMany(sequence => Enumerable.Range(0, sequence.RowCount).Select(role => (sequence, role)))
            .ToList();
        using var rented = kept is null ? options.PromptCache?.Rent(model) : null;
        var reusable = kept ?? rented;
        var plan = PrefixPlan.Create(_rows.Select(PromptOf), [.. newRows.Select(PromptOf)], reusable?.Rows ?? []);
        foreach (var wave in plan.GroupBy(row => row.Wave))
        {
            var first = RowCount;
            foreach (var row in wave)
            {
                var (sequence, role) = newRows[row.Row];
                var target = AddRow(sequence, role);
                if (row.Kept is { } prompt)
                {
                    reusable!.CopyTo(_cache, target, prompt, row.Shared);
                }
                else
                {
                    _cache.CopyRow(row.SourceRow, target, row.Shared);
                }
            }
            Prefill(first, [.. wave.Where(row => row.Computed > 0)]);
        }
        foreach (var row in plan.Where(row => row.Computed > 0))
        {
            var (sequence, role) = newRows[row.Row];
            options.PromptCache?.Keep(model, PromptOf((sequence, role)), _cache, sequence.Rows[role]);
        }

        _promptWork = _promptWork.Add(plan);
    }

    /// <summary>
    /// Computes one more token of every sequence and returns those that ended, whose rows are free again.
    /// </summary>
    public List<RunningSequence> Step()
    {
        using var section = _profiler?.Enter("batch");
        _steps++;
        _rowSteps += RowCount;
        _groups ??= BuildLayout();
        using var lease = UsesKernelThreads ? TorchThreads.LendToKernels() : default;
        var members = _groups.SelectMany(group => group.Members).ToList();
        ChooseTokens(members);
        var ended = members.FindAll(member => member.HasEnded);
        foreach (var sequence in ended)
        {
            Keep(sequence);
            Remove(sequence);
        }

        return ended;
    }

    /// <summary>Takes a sequence out whose answer nobody wants any more.</summary>
    public void Cancel(RunningSequence sequence) => Remove(sequence);

    /// <summary>Makes room for more or longer rows; what is computed of the rows there are stays.</summary>
    public void Grow(int rows, int positions)
    {
        var larger = new KvCache(model, Math.Max(rows, MostRows), Math.Max(positions, Capacity));
        for (var row = 0; row < RowCount; row++)
        {
            using var columns = _cache.CopyOut(row, _rows[row].Sequence.Position);
            larger.CopyIn(columns, row, columns.Length);
        }

        _cache.Dispose();
        _cache = larger;
    }

    public void Dispose()
    {
        if (_profiler is not null)
        {
            options.Trace!.Add(_profiler, _steps, _rowSteps, _prefillProfiler!, _promptWork);
        }

        ResetLayout();
        _cache.Dispose();
    }

    int AddRow(RunningSequence sequence, int role)
    {
        _rows.Add((sequence, role));
        var row = RowCount - 1;
        sequence.Rows[role] = row;
        return row;
    }

    PromptRow PromptOf((RunningSequence Sequence, int Role) row) =>
        new(row.Sequence.Request.Prompt, row.Sequence.AdaptersOf(row.Role))
        {
            IsExtended = IsExtended(row.Sequence.Request),
        };

    /// <summary>Whether the request may come to have texts whose keys are rotated otherwise.</summary>
    bool IsExtended(DecodingRequest request) => model.Config.IsExtended(GetTextLength(request));

    int GetTextLength(DecodingRequest request) => (int)Math.Min(request.PositionsNeeded, model.Config.MaxPositions);

    static AdapterRows? SelectAdapters(IEnumerable<(RunningSequence Sequence, int Role)> rows) =>
        PromptAdapters.SelectRows([.. rows.Select(row => row.Sequence.AdaptersOf(row.Role))]);

    /// <summary>
    /// Computes a wave, which occupies the rows from <paramref name="first"/> on: those with most to compute come
    /// first.
    /// </summary>
    void Prefill(int first, List<PlannedPrefill> wave)
    {
        var done = 0;
        while (done < wave.Count)
        {
            var longest = wave.Skip(done).Max(row => row.Columns);
            var count = Math.Clamp(options.PrefillTokens / longest, 1, wave.Count - done);
            PrefillPass(first + done, wave.GetRange(done, count));
            done += count;
        }
    }

    void PrefillPass(int first, List<PlannedPrefill> planned)
    {
        var count = planned.Count;
        var seq = planned[0].Computed;
        var columns = planned.Max(row => row.Columns);
        var rows = _rows.GetRange(first, count);
        // A row whose padding would reach beyond the longest row starts within what it copied, and computes that part
        // again.
        var starts = planned.Select(row => Math.Min(row.Shared, columns - seq)).ToList();
        var ids = rows.Zip(starts, (row, start) => PadPrompt(row.Sequence.Request.Prompt, start, seq))
            .SelectMany(padded => padded)
            .ToArray();
        using var scope = NewDisposeScope();
        using var mode = inference_mode();
        var tokens = tensor(ids, [count, seq], device: model.Device);
        var positions = starts.SelectMany(start => Enumerable.Range(start, seq)).Select(position => (long)position);
        int[] lengths = [.. rows.Select(row => GetTextLength(row.Sequence.Request))];
        using var batch = starts.TrueForAll(start => start == 0)
            ? new TokenBatch(tokens) { InvocationSearch = FindInvoked, TextLengths = lengths }
            : new TokenBatch(tokens, [.. positions]) { InvocationSearch = FindInvoked, TextLengths = lengths };
        using var adapters = SelectAdapters(rows);
        model.Prefill(batch, adapters, _cache.Slice(first, count, columns), _prefillProfiler);

        bool[] FindInvoked(IReadOnlyList<int> invocation) =>
            [
                .. rows.Zip(starts)
                    .SelectMany(row =>
                    {
                        var invoked = InvocationTokens.FindLast(row.First.Sequence.Request.Prompt, invocation);
                        return Enumerable.Range(row.Second, seq).Select(position => position >= invoked);
                    }),
            ];
    }

    static IEnumerable<long> PadPrompt(IReadOnlyList<int> prompt, int start, int length) =>
        Enumerable.Range(start, length).Select(i => i < prompt.Count - 1 ? (long)prompt[i] : 0);

    void ChooseTokens(List<RunningSequence> members)
    {
        using var scope = NewDisposeScope();
        using var mode = inference_mode();
        var ids = tensor(
            _rows.Select(row => (long)row.Sequence.NextInput).ToArray(),
            [RowCount, 1],
            device: model.Device
        );
        using var batch = new TokenBatch(ids, [.. _rows.Select(row => (long)row.Sequence.Position)])
        {
            InvocationSearch = _ => [.. Enumerable.Repeat(true, RowCount)],
            TextLengths = [.. _rows.Select(row => GetTextLength(row.Sequence.Request))],
        };
        var longest = _rows.Max(row => row.Sequence.Position) + 1;
        var cache = _cache.Slice(0, RowCount, longest);
        var hidden = model.Forward(batch, _adapters, cache, _profiler); // [rows, 1, hidden]
        Tensor logits; // [rows, vocab]
        using (_profiler?.Enter("head"))
        {
            logits = model.ComputeLogits(hidden.squeeze(1), _adapters);
        }

        using var choice = _profiler?.Enter("choose");
        var tokens = cat([.. _groups!.Select(group => group.Choose(logits))]).cpu().data<long>().ToArray();
        var scores = TokenScores.Compute(logits, members, tokens);
        for (var i = 0; i < members.Count; i++)
        {
            members[i].Append((int)tokens[i], scores.GetValueOrDefault(members[i]));
        }
    }

    void Remove(RunningSequence sequence)
    {
        ResetLayout();
        foreach (var free in sequence.Rows.Where(row => row >= 0).OrderDescending())
        {
            var lastRow = RowCount - 1;
            if (free < lastRow)
            {
                var (moved, role) = _rows[lastRow];
                _cache.CopyRow(lastRow, free, moved.Position);
                _rows[free] = (moved, role);
                moved.Rows[role] = free;
            }
            _rows.RemoveAt(lastRow);
        }
    }

    /// <summary>Keeps the prompt and the answer that it was fed, for the next turn of a conversation.</summary>
    void Keep(RunningSequence sequence)
    {
        if (options.PromptCache is not { } promptCache || sequence.Failure is not null)
        {
            return;
        }

        int[] ids = [.. sequence.PromptAndAnswer];
        for (var role = 0; role < sequence.RowCount; role++)
        {
            var row = new PromptRow(ids, sequence.AdaptersOf(role)) { IsExtended = IsExtended(sequence.Request) };
            promptCache.Keep(model, row, _cache, sequence.Rows[role]);
        }
    }

    List<SamplingGroup> BuildLayout()
    {
        _adapters = SelectAdapters(_rows);
        var sequences = _rows.Where(row => row.Role == 0).Select(row => row.Sequence);
        return SamplingGroup.GroupByOptions(sequences, model.Device);
    }

    void ResetLayout()
    {
        _adapters?.Dispose();
        _adapters = null;
        _groups?.ForEach(group => group.Dispose());
        _groups = null;
    }
}

/// <summary>The prompt tokens of a batch.</summary>
/// <param name="Computed">Prompt tokens computed, over all rows.</param>
/// <param name="Copied">Prompt tokens copied from rows with the same beginning.</param>
/// <param name="Reused">Prompt tokens copied from what earlier calls computed.</param>
readonly record struct PromptWork(long Computed, long Copied, long Reused)
{
    public PromptWork Add(IReadOnlyList<PlannedPrefill> plan)
    {
        var reused = plan.Where(row => row.Kept is not null).Sum(row => (long)row.Shared);
        var copied = plan.Sum(row => (long)row.Shared) - reused;
        return new(Computed + plan.Sum(row => (long)row.Computed), Copied + copied, Reused + reused);
    }
}
