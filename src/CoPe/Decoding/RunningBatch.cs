using CoPe.Adapters;
using CoPe.Kernels;
using CoPe.Modeling;
using static TorchSharp.torch;

namespace CoPe.Decoding;

/// <summary>
/// The rows now being decoded: rows 0 to n - 1 of one cache, experts and amateurs of many users mixed. Sequences join at the end and leave anywhere; the last row
/// then fills the hole. A prompt's last token is fed by the first step, so prefill computes no logits and joining needs no step of its own.
/// </summary>
sealed class RunningBatch(CausalLm model, AdapterBanks banks, EngineOptions options, int mostRows, int capacity) : IDisposable
{
    readonly KvCache _cache = new(model, mostRows, capacity);
    readonly List<(Sequence Sequence, int Role)> _rows = [];
    AdapterRows? _adapters;
    readonly PassClock? _clock = options.Trace is null ? null : new PassClock();
    readonly PassClock? _promptClock = options.Trace is null ? null : new PassClock();
    List<ChoiceGroup>? _groups;
    PromptWork _prompts;
    long _steps;
    long _rowSteps;

    /// <summary>Positions that a row can hold.</summary>
    public int Capacity => capacity;

    public int Rows => _rows.Count;

    bool StepsByKernels => model.Device.type == TorchSharp.DeviceType.CPU && (model.HasInt8Weights || FewRowsProduct.IsFaster(Rows, model.Config.HiddenSize));

    /// <summary>
    /// Adds sequences and computes their prompts but for the last token. What prompts begin with in common is computed once for all rows that wear the same adapters, and copied
    /// (<see cref="PrefixPlan"/>).
    /// </summary>
    public void Join(IEnumerable<Sequence> newcomers)
    {
        using var rest = _promptClock?.Enter("batch");
        ForgetLayout();
        var waiting = newcomers.SelectMany(sequence => Enumerable.Range(0, sequence.RowCount).Select(role => (sequence, role))).ToList();
        var plan = PrefixPlan.Of(_rows.Select(Prompt), [.. waiting.Select(Prompt)]);
        foreach (var wave in plan.GroupBy(row => row.Wave))
        {
            var first = Rows;
            foreach (var row in wave)
            {
                var (sequence, role) = waiting[row.Newcomer];
                _cache.CopyRow(row.From, AddRow(sequence, role), row.Shared);
            }
            Prefill(first, [.. wave.Where(row => row.Own > 0)]);
        }
        _prompts = new(_prompts.Computed + plan.Sum(row => (long)row.Own), _prompts.Copied + plan.Sum(row => (long)row.Shared));
    }

    /// <summary>Computes one more token of every sequence and returns those that ended, whose rows are free again.</summary>
    public List<Sequence> Step()
    {
        using var rest = _clock?.Enter("batch");
        (_steps, _rowSteps) = (_steps + 1, _rowSteps + Rows);
        _groups ??= BuildLayout();
        using var cores = StepsByKernels ? TorchThreads.LeaveToKernels() : default;
        var tokens = NextTokens();
        var members = _groups.SelectMany(group => group.Members).ToList();
        for (var i = 0; i < members.Count; i++) members[i].Append((int)tokens[i]);
        var ended = members.FindAll(member => member.Ended is not null);
        foreach (var sequence in ended) Leave(sequence);
        return ended;
    }

    public void Dispose()
    {
        if (_clock is not null) options.Trace!.Add(_clock, _steps, _rowSteps, _promptClock!, _prompts);
        ForgetLayout();
        _cache.Dispose();
    }

    int AddRow(Sequence sequence, int role)
    {
        _rows.Add((sequence, role));
        return sequence.Rows[role] = Rows - 1;
    }

    static PromptRow Prompt((Sequence Sequence, int Role) row) => new(row.Sequence.Request.Prompt, row.Sequence.Worn(row.Role));

    /// <summary>Computes a wave, which stands in the rows from <paramref name="first"/> on: those with most to compute come first.</summary>
    void Prefill(int first, List<PlacedPrompt> wave)
    {
        for (var done = 0; done < wave.Count;)
        {
            var count = Math.Clamp(options.PrefillTokens / wave.Skip(done).Max(row => row.Columns), 1, wave.Count - done);
            PrefillPass(first + done, wave.GetRange(done, count));
            done += count;
        }
    }

    void PrefillPass(int first, List<PlacedPrompt> planned)
    {
        var (seq, columns, count) = (planned[0].Own, planned.Max(row => row.Columns), planned.Count);
        var rows = _rows.GetRange(first, count);
        // A row whose padding would reach beyond the longest row starts within what it copied, and computes that part again.
        var starts = planned.Select(row => Math.Min(row.Shared, columns - seq)).ToList();
        var ids = rows.Zip(starts, (row, start) => Padded(row.Sequence.Request.Prompt, start, seq)).SelectMany(padded => padded).ToArray();
        using var scope = NewDisposeScope();
        using var mode = inference_mode();
        var tokens = tensor(ids, [count, seq], device: model.Device);
        using var batch = starts.TrueForAll(start => start == 0) ? new TokenBatch(tokens)
            : new TokenBatch(tokens, [.. starts.SelectMany(start => Enumerable.Range(start, seq)).Select(position => (long)position)]);
        using var adapters = banks.Rows([.. rows.Select(row => row.Sequence.Worn(row.Role))]);
        model.FillCache(batch, adapters, _cache.Rows(first, count, columns), _promptClock);
    }

    static IEnumerable<long> Padded(IReadOnlyList<int> prompt, int start, int length) =>
        Enumerable.Range(start, length).Select(i => i < prompt.Count - 1 ? (long)prompt[i] : 0);

    long[] NextTokens()
    {
        using var scope = NewDisposeScope();
        using var mode = inference_mode();
        var ids = tensor(_rows.Select(row => (long)row.Sequence.NextInput).ToArray(), [Rows, 1], device: model.Device);
        using var batch = new TokenBatch(ids, [.. _rows.Select(row => (long)row.Sequence.Position)]);
        var longest = _rows.Max(row => row.Sequence.Position) + 1;
        var hidden = model.Forward(batch, _adapters, _cache.Rows(0, Rows, longest), _clock); // [rows, 1, hidden]
        Tensor logits; // [rows, vocab]
        using (_clock?.Enter("head")) logits = model.Logits(hidden.squeeze(1));
        using var choosing = _clock?.Enter("choose");
        return cat([.. _groups!.Select(group => group.Choose(logits))]).cpu().data<long>().ToArray();
    }

    void Leave(Sequence sequence)
    {
        ForgetLayout();
        foreach (var hole in sequence.Rows.Where(row => row >= 0).OrderDescending())
        {
            var (last, role) = _rows[^1];
            if (hole < Rows - 1)
            {
                _cache.CopyRow(Rows - 1, hole, last.Position);
                _rows[hole] = (last, role);
                last.Rows[role] = hole;
            }
            _rows.RemoveAt(Rows - 1);
        }
    }

    List<ChoiceGroup> BuildLayout()
    {
        _adapters = banks.Rows([.. _rows.Select(row => row.Sequence.Worn(row.Role))]);
        return ChoiceGroup.Of(_rows.Where(row => row.Role == 0).Select(row => row.Sequence), model.Device);
    }

    void ForgetLayout()
    {
        _adapters?.Dispose();
        _adapters = null;
        _groups?.ForEach(group => group.Dispose());
        _groups = null;
    }
}
