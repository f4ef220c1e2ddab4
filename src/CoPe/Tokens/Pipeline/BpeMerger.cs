namespace CoPe.Tokens.Pipeline;

/// <summary>Merges the symbols of one word: the lowest rank first, among equals the leftmost. Reused for many words; one per thread.</summary>
internal sealed class BpeMerger
{
    readonly PriorityQueue<(int Position, int Id), long> _queue = new();
    int[] _ids = new int[64], _previous = new int[64], _next = new int[64];

    /// <summary>Merges <paramref name="symbols"/> and appends what remains to <paramref name="output"/>.</summary>
    public void Merge(List<int> symbols, Dictionary<long, (int Rank, int Id)> merges, List<int> output)
    {
        var count = symbols.Count;
        if (count == 0) return;
        if (_ids.Length < count) (_ids, _previous, _next) = (new int[count * 2], new int[count * 2], new int[count * 2]);
        for (var i = 0; i < count; i++) (_ids[i], _previous[i], _next[i]) = (symbols[i], i - 1, i + 1 < count ? i + 1 : -1);
        _queue.Clear();
        for (var i = 0; i + 1 < count; i++) Offer(i, merges);
        while (_queue.TryDequeue(out var candidate, out _)) Apply(candidate.Position, candidate.Id, merges);
        for (var i = 0; i >= 0; i = _next[i]) output.Add(_ids[i]);
    }

    // A candidate is stale when its left symbol is gone or the pair now merges to something else.
    void Apply(int left, int id, Dictionary<long, (int Rank, int Id)> merges)
    {
        if (_ids[left] < 0 || _next[left] < 0) return;
        var right = _next[left];
        if (!merges.TryGetValue(BpeVocabulary.Pair(_ids[left], _ids[right]), out var merge) || merge.Id != id) return;
        _ids[left] = id;
        _ids[right] = -1;
        _next[left] = _next[right];
        if (_next[right] >= 0) _previous[_next[right]] = left;
        if (_previous[left] >= 0) Offer(_previous[left], merges);
        Offer(left, merges);
    }

    void Offer(int left, Dictionary<long, (int Rank, int Id)> merges)
    {
        if (_next[left] < 0) return;
        if (merges.TryGetValue(BpeVocabulary.Pair(_ids[left], _ids[_next[left]]), out var merge))
            _queue.Enqueue((left, merge.Id), ((long)merge.Rank << 32) | (uint)left);
    }
}
