using System.Diagnostics;
using CoPe.Adapters;
using CoPe.Kernels;
using CoPe.Modeling;
using static TorchSharp.torch;

namespace CoPe.Decoding;

/// <summary>
/// The rows now being decoded: rows 0 to n - 1 of one cache, experts and amateurs of many users mixed. Sequences join at the end and leave anywhere; the last row
/// then fills the hole. A prompt's last token is fed by the first step, so prefill computes no logits and joining needs no step of its own.
/// </summary>
sealed class RunningBatch(CausalLm model, AdapterBanks banks, EngineOptions options, int capacity) : IDisposable
{
    readonly KvCache _cache = new(model, options.MaxRows, capacity);
    readonly List<(Sequence Sequence, int Role)> _rows = [];
    AdapterRows? _adapters;
    readonly PassClock? _clock = options.Trace is null ? null : new PassClock();
    List<ChoiceGroup>? _groups;
    TimeSpan _prefill;
    long _steps;
    long _rowSteps;

    /// <summary>Positions that a row can hold.</summary>
    public int Capacity => capacity;

    public int Rows => _rows.Count;

    /// <summary>Adds sequences and computes their prompts but for the last token; rows that read the same prompt with the same adapters are computed once and copied.</summary>
    public void Join(IEnumerable<Sequence> newcomers)
    {
        ForgetLayout();
        var first = Rows;
        var rowOf = new Dictionary<(IReadOnlyList<int>, WornAdapters), int>();
        var copies = new List<(Sequence Sequence, int Role, int From)>();
        foreach (var sequence in newcomers.OrderByDescending(newcomer => newcomer.Request.Prompt.Count))
        {
            for (var role = 0; role < sequence.RowCount; role++)
            {
                var key = (sequence.Request.Prompt, sequence.Worn(role));
                if (rowOf.TryGetValue(key, out var from)) copies.Add((sequence, role, from));
                else rowOf[key] = AddRow(sequence, role);
            }
        }
        var started = Stopwatch.GetTimestamp();
        Prefill(first);
        foreach (var (sequence, role, from) in copies)
            _cache.CopyRow(from, AddRow(sequence, role), sequence.Position);
        _prefill += Stopwatch.GetElapsedTime(started);
    }

    /// <summary>Computes one more token of every sequence and returns those that ended, whose rows are free again.</summary>
    public List<Sequence> Step()
    {
        using var rest = _clock?.Enter("batch");
        (_steps, _rowSteps) = (_steps + 1, _rowSteps + Rows);
        _groups ??= BuildLayout();
        using var cores = FewRowsProduct.IsFaster(Rows, model.Config.HiddenSize) ? TorchThreads.LeaveToKernels() : default;
        var tokens = NextTokens();
        var members = _groups.SelectMany(group => group.Members).ToList();
        for (var i = 0; i < members.Count; i++) members[i].Append((int)tokens[i]);
        var ended = members.FindAll(member => member.Ended is not null);
        foreach (var sequence in ended) Leave(sequence);
        return ended;
    }

    public void Dispose()
    {
        if (_clock is not null) options.Trace!.Add(_clock, _prefill, _steps, _rowSteps);
        ForgetLayout();
        _cache.Dispose();
    }

    int AddRow(Sequence sequence, int role)
    {
        _rows.Add((sequence, role));
        return sequence.Rows[role] = Rows - 1;
    }

    void Prefill(int first)
    {
        while (first < Rows)
        {
            var length = _rows[first].Sequence.Position; // the longest, for they are sorted
            if (length == 0) return;
            var count = Math.Clamp(options.PrefillTokens / length, 1, Rows - first);
            var rows = _rows.GetRange(first, count);
            var ids = rows.SelectMany(row => Padded(row.Sequence.Request.Prompt, length)).ToArray();
            using (var scope = NewDisposeScope())
            using (inference_mode())
            using (var batch = new TokenBatch(tensor(ids, [count, length], device: model.Device)))
            using (var adapters = banks.Rows([.. rows.Select(row => row.Sequence.Worn(row.Role))]))
                model.Forward(batch, adapters, _cache.Rows(first, count, length));
            first += count;
        }
    }

    static IEnumerable<long> Padded(IReadOnlyList<int> prompt, int length) =>
        Enumerable.Range(0, length).Select(i => i < prompt.Count - 1 ? (long)prompt[i] : 0);

    long[] NextTokens()
    {
        using var scope = NewDisposeScope();
        using var mode = inference_mode();
        var ids = tensor(_rows.Select(row => (long)row.Sequence.NextInput).ToArray(), [Rows, 1], device: model.Device);
        var positions = tensor(_rows.Select(row => (long)row.Sequence.Position).ToArray(), [Rows, 1], device: model.Device);
        using var batch = new TokenBatch(ids, positions);
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
