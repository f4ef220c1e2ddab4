using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace CoPe.Tokens.Pipeline;

/// <summary>Turns words into ids, remembering the words it has met. Safe to share between threads.</summary>
sealed class BpeModel
{
    const int MaxCachedWords = 1 << 17,
        MaxCachedLength = 64,
        MaxStackLength = 128;

    readonly BpeVocabulary _vocabulary;
    readonly bool _byteLevel;
    readonly int[] _byteIds = new int[256]; // id of each byte's symbol, -1 where the vocabulary has none
    readonly int[] _characterIds = []; // likewise of each character of one unit, where words are spelled in characters
    readonly ConcurrentDictionary<string, int[]>.AlternateLookup<ReadOnlySpan<char>> _cache;
    int _cached;

    [ThreadStatic]
    static (BpeMerger Merger, List<int> Symbols, List<int> Ids)? _scratch;

    public BpeModel(BpeVocabulary vocabulary, bool byteLevel)
    {
        (_vocabulary, _byteLevel) = (vocabulary, byteLevel);
        for (var b = 0; b < 256; b++)
        {
            _byteIds[b] = vocabulary.Ids.GetValueOrDefault(
                byteLevel ? ByteLevelAlphabet.ToCharacter((byte)b).ToString() : $"<0x{b:X2}>",
                -1
            );
        }

        if (!byteLevel)
        {
            _characterIds = new int[char.MaxValue + 1];
            Array.Fill(_characterIds, -1);
            foreach (var (token, id) in vocabulary.Ids.Where(token => token.Key.Length == 1))
            {
                _characterIds[token[0]] = id;
            }
        }
        _cache = new ConcurrentDictionary<string, int[]>(StringComparer.Ordinal).GetAlternateLookup<
            ReadOnlySpan<char>
        >();
    }

    /// <summary>Appends the ids of a word.</summary>
    public void Encode(ReadOnlySpan<char> word, List<int> output)
    {
        if (word.Length == 0)
        {
            return;
        }

        if (_cache.TryGetValue(word, out var known))
        {
            output.AddRange(known);
            return;
        }
        var (merger, symbols, ids) = (_scratch ??= (new BpeMerger(), [], []));
        symbols.Clear();
        ids.Clear();
        if (_vocabulary.IgnoreMerges && _vocabulary.Ids.TryGetValue(ToVocabularyText(word), out var whole))
        {
            ids.Add(whole);
        }
        else
        {
            if (_byteLevel)
            {
                AddByteSymbols(word, symbols);
            }
            else
            {
                AddCharacterSymbols(word, symbols);
            }

            merger.Merge(symbols, _vocabulary.Merges, ids);
        }
        output.AddRange(ids);
        if (
            word.Length <= MaxCachedLength
            && Volatile.Read(ref _cached) < MaxCachedWords
            && _cache.TryAdd(word, [.. ids])
        )
        {
            Interlocked.Increment(ref _cached);
        }
    }

    string ToVocabularyText(ReadOnlySpan<char> word) => _byteLevel ? ByteLevelAlphabet.Encode(word) : word.ToString();

    void AddByteSymbols(ReadOnlySpan<char> word, List<int> symbols)
    {
        var unknown = false;
        var bytes =
            word.Length <= MaxStackLength
                ? stackalloc byte[3 * MaxStackLength]
                : new byte[Encoding.UTF8.GetMaxByteCount(word.Length)];
        foreach (var value in bytes[..Encoding.UTF8.GetBytes(word, bytes)])
        {
            AddSymbol(_byteIds[value], ref unknown, symbols);
        }
    }

    void AddCharacterSymbols(ReadOnlySpan<char> word, List<int> symbols)
    {
        var unknown = false;
        for (var i = 0; i < word.Length;)
        {
            CodePoints.GetAt(word, i, out var length);
            var character = word.Slice(i, length);
            i += length;
            var id =
                length == 1 ? _characterIds[character[0]] : _vocabulary.Ids.GetValueOrDefault(character.ToString(), -1);
            if (id >= 0 || !_vocabulary.ByteFallback || !TryAddBytes(character, symbols))
            {
                AddSymbol(id, ref unknown, symbols);
            }
        }
    }

    bool TryAddBytes(ReadOnlySpan<char> character, List<int> symbols)
    {
        var bytes = CodePoints.ToUtf8(character);
        if (bytes.Any(value => _byteIds[value] < 0))
        {
            return false;
        }

        foreach (var value in bytes)
        {
            symbols.Add(_byteIds[value]);
        }

        return true;
    }

    // A symbol without an id becomes the unknown token, a run of them one where they fuse; without an unknown token it
    // is dropped.
    void AddSymbol(int id, ref bool unknown, List<int> symbols)
    {
        if (id >= 0)
        {
            symbols.Add(id);
        }
        else if (_vocabulary.UnknownId is { } unknownId && !(unknown && _vocabulary.FuseUnknown))
        {
            symbols.Add(unknownId);
        }

        unknown = id < 0;
    }
}

/// <summary>
/// Merges the symbols of one word: the lowest rank first, among equals the leftmost. Reused for many words; one per
/// thread.
/// </summary>
sealed class BpeMerger
{
    /// <summary>Up to here looking at every pair for the lowest is faster than keeping them in a queue.</summary>
    const int MaxShortLength = 48;

    readonly PriorityQueue<(int Position, int Id), long> _queue = new();
    readonly int[] _ranks = new int[MaxShortLength],
        _merged = new int[MaxShortLength];
    int[] _ids = new int[64],
        _previous = new int[64],
        _next = new int[64];

    /// <summary>Merges <paramref name="symbols"/> and appends what remains to <paramref name="output"/>.</summary>
    public void Merge(List<int> symbols, MergeTable merges, List<int> output)
    {
        var count = symbols.Count;
        if (count == 0)
        {
            return;
        }

        if (count <= MaxShortLength)
        {
            MergeShort(symbols, merges, output);
            return;
        }
        if (_ids.Length < count)
        {
            (_ids, _previous, _next) = (new int[count * 2], new int[count * 2], new int[count * 2]);
        }

        for (var i = 0; i < count; i++)
        {
            (_ids[i], _previous[i], _next[i]) = (symbols[i], i - 1, i + 1 < count ? i + 1 : -1);
        }

        _queue.Clear();
        for (var i = 0; i + 1 < count; i++)
        {
            Enqueue(i, merges);
        }

        while (_queue.TryDequeue(out var candidate, out _))
        {
            Apply(candidate.Position, candidate.Id, merges);
        }

        for (var i = 0; i >= 0; i = _next[i])
        {
            output.Add(_ids[i]);
        }
    }

    // Most words of a text are met here for the first time while the runtime still counts calls: compile it well at
    // once.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    void MergeShort(List<int> symbols, MergeTable merges, List<int> output)
    {
        var count = symbols.Count;
        CollectionsMarshal.AsSpan(symbols).CopyTo(_ids);
        for (var i = 0; i + 1 < count; i++)
        {
            UpdateRank(i, merges);
        }

        while (true)
        {
            var (best, rank) = (-1, int.MaxValue);
            for (var i = 0; i + 1 < count; i++)
            {
                if (_ranks[i] < rank)
                {
                    (best, rank) = (i, _ranks[i]);
                }
            }

            if (best < 0)
            {
                break;
            }

            _ids[best] = _merged[best];
            count--;
            for (var i = best + 1; i < count; i++)
            {
                (_ids[i], _ranks[i], _merged[i]) = (_ids[i + 1], _ranks[i + 1], _merged[i + 1]);
            }

            if (best > 0)
            {
                UpdateRank(best - 1, merges);
            }

            if (best + 1 < count)
            {
                UpdateRank(best, merges);
            }
        }
        output.AddRange(_ids.AsSpan(0, count));
    }

    void UpdateRank(int left, MergeTable merges) =>
        (_ranks[left], _merged[left]) = merges.TryGet(_ids[left], _ids[left + 1], out var merge)
            ? merge
            : (int.MaxValue, -1);

    // A candidate is stale when its left symbol is gone or the pair now merges to something else.
    void Apply(int left, int id, MergeTable merges)
    {
        if (_ids[left] < 0 || _next[left] < 0)
        {
            return;
        }

        var right = _next[left];
        if (!merges.TryGet(_ids[left], _ids[right], out var merge) || merge.Id != id)
        {
            return;
        }

        _ids[left] = id;
        _ids[right] = -1;
        _next[left] = _next[right];
        if (_next[right] >= 0)
        {
            _previous[_next[right]] = left;
        }

        if (_previous[left] >= 0)
        {
            Enqueue(_previous[left], merges);
        }

        Enqueue(left, merges);
    }

    void Enqueue(int left, MergeTable merges)
    {
        if (_next[left] < 0)
        {
            return;
        }

        if (merges.TryGet(_ids[left], _ids[_next[left]], out var merge))
        {
            _queue.Enqueue((left, merge.Id), ((long)merge.Rank << 32) | (uint)left);
        }
    }
}

/// <summary>
/// Cuts a segment that no pre-tokenizer cuts, exactly where no merge can cross: before each word mark whose left
/// neighbour is another
/// character and stands beside a word mark in no merge's result. The ids are the same; short words can be remembered.
/// </summary>
sealed class MergeBoundarySplitter(BpeVocabulary vocabulary)
{
    const char WordMark = '\u2581';

    readonly bool _safe =
        !vocabulary.IgnoreMerges
        && vocabulary.Ids.ContainsKey(WordMark.ToString())
        && !vocabulary.Merges.Pairs.Any(pair => IsByte(vocabulary, pair.Left) || IsByte(vocabulary, pair.Right));

    public void Split(TextPiece piece, List<TextPiece> output)
    {
        var text = piece.Span;
        var start = 0;
        for (var i = 1; _safe && i < text.Length; i++)
        {
            if (
                text[i] != WordMark
                || text[i - 1] == WordMark
                || vocabulary.Neighbors.Contains((text[i - 1], WordMark))
            )
            {
                continue;
            }

            output.Add(piece.Slice(start, i - start));
            start = i;
        }
        output.Add(piece.Slice(start, text.Length - start));
    }

    static bool IsByte(BpeVocabulary vocabulary, int id) => vocabulary.ByteIds.Contains(id);
}
