namespace CoPe.Tokens.Pipeline;

/// <summary>
/// Pairs of ids -> rank and id of what they merge to. A table of its own, for encoding asks little else: .NET's hash of a pair of small numbers, their exclusive or, is the same for
/// thousands of pairs.
/// </summary>
internal sealed class MergeTable
{
    const long Free = -1;

    long[] _pairs = [.. Enumerable.Repeat(Free, 16)];
    (int Rank, int Id)[] _merges = new (int, int)[16];
    int _count;

    /// <summary>Every pair.</summary>
    public IEnumerable<(int Left, int Right)> Pairs => _pairs.Where(pair => pair != Free).Select(pair => ((int)(pair >> 32), (int)pair));

    /// <summary>Adds a pair of ids >= 0, or replaces what it merges to.</summary>
    public void Set(int left, int right, (int Rank, int Id) merge)
    {
        if (2 * (_count + 1) > _pairs.Length) Grow();
        var pair = BpeVocabulary.Pair(left, right);
        var place = PlaceOf(pair);
        if (_pairs[place] == Free) _count++;
        (_pairs[place], _merges[place]) = (pair, merge);
    }

    /// <summary>What a pair merges to, if it does.</summary>
    public bool TryGet(int left, int right, out (int Rank, int Id) merge)
    {
        var pair = BpeVocabulary.Pair(left, right);
        var place = PlaceOf(pair);
        merge = _merges[place];
        return _pairs[place] == pair;
    }

    /// <summary>Where a pair stands, or the free place where it would.</summary>
    int PlaceOf(long pair)
    {
        var mixed = (ulong)pair * 0x9E3779B97F4A7C15; // the golden ratio's digits: neighbours end far apart
        var mask = _pairs.Length - 1;
        var place = (int)((mixed ^ (mixed >> 32)) & (ulong)mask);
        while (_pairs[place] != pair && _pairs[place] != Free) place = (place + 1) & mask;
        return place;
    }

    void Grow()
    {
        var (pairs, merges) = (_pairs, _merges);
        (_pairs, _merges) = ([.. Enumerable.Repeat(Free, 2 * pairs.Length)], new (int, int)[2 * pairs.Length]);
        for (var i = 0; i < pairs.Length; i++)
        {
            if (pairs[i] == Free) continue;
            var place = PlaceOf(pairs[i]);
            (_pairs[place], _merges[place]) = (pairs[i], merges[i]);
        }
    }
}
