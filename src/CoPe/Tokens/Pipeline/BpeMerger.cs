using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace CoPe.Tokens.Pipeline;

/// <summary>Merges the symbols of one word: the lowest rank first, among equals the leftmost. Reused for many words; one per thread.</summary>
internal sealed class BpeMerger
{
    /// <summary>Up to here looking at every pair for the lowest is faster than keeping them in a queue.</summary>
    const int Short = 48;

    readonly PriorityQueue<(int Position, int Id), long> _queue = new();
    readonly int[] _ranks = new int[Short], _merged = new int[Short];
    int[] _ids = new int[64], _previous = new int[64], _next = new int[64];

    /// <summary>Merges <paramref name="symbols"/> and appends what remains to <paramref name="output"/>.</summary>
    public void Merge(List<int> symbols, MergeTable merges, List<int> output)
    {
        var count = symbols.Count;
        if (count == 0) return;
        if (count <= Short)
        {
            MergeShort(symbols, merges, output);
            return;
        }
        if (_ids.Length < count) (_ids, _previous, _next) = (new int[count * 2], new int[count * 2], new int[count * 2]);
        for (var i = 0; i < count; i++) (_ids[i], _previous[i], _next[i]) = (symbols[i], i - 1, i + 1 < count ? i + 1 : -1);
        _queue.Clear();
        for (var i = 0; i + 1 < count; i++) Offer(i, merges);
        while (_queue.TryDequeue(out var candidate, out _)) Apply(candidate.Position, candidate.Id, merges);
        for (var i = 0; i >= 0; i = _next[i]) output.Add(_ids[i]);
    }

    // Most words of a text are met here for the first time while the runtime still counts calls: compile it well at once.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    void MergeShort(List<int> symbols, MergeTable merges, List<int> output)
    {
        var count = symbols.Count;
        CollectionsMarshal.AsSpan(symbols).CopyTo(_ids);
        for (var i = 0; i + 1 < count; i++) Rate(i, merges);
        while (true)
        {
            var (best, rank) = (-1, int.MaxValue);
            for (var i = 0; i + 1 < count; i++)
                if (_ranks[i] < rank) (best, rank) = (i, _ranks[i]);
            if (best < 0) break;
            _ids[best] = _merged[best];
            count--;
            for (var i = best + 1; i < count; i++) (_ids[i], _ranks[i], _merged[i]) = (_ids[i + 1], _ranks[i + 1], _merged[i + 1]);
            if (best > 0) Rate(best - 1, merges);
            if (best + 1 < count) Rate(best, merges);
        }
        output.AddRange(_ids.AsSpan(0, count));
    }

    void Rate(int left, MergeTable merges) =>
        (_ranks[left], _merged[left]) = merges.TryGet(_ids[left], _ids[left + 1], out var merge) ? merge : (int.MaxValue, -1);

    // A candidate is stale when its left symbol is gone or the pair now merges to something else.
    void Apply(int left, int id, MergeTable merges)
    {
        if (_ids[left] < 0 || _next[left] < 0) return;
        var right = _next[left];
        if (!merges.TryGet(_ids[left], _ids[right], out var merge) || merge.Id != id) return;
        _ids[left] = id;
        _ids[right] = -1;
        _next[left] = _next[right];
        if (_next[right] >= 0) _previous[_next[right]] = left;
        if (_previous[left] >= 0) Offer(_previous[left], merges);
        Offer(left, merges);
    }

    void Offer(int left, MergeTable merges)
    {
        if (_next[left] < 0) return;
        if (merges.TryGet(_ids[left], _ids[_next[left]], out var merge))
            _queue.Enqueue((left, merge.Id), ((long)merge.Rank << 32) | (uint)left);
    }
}
