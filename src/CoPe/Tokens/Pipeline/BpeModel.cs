using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace CoPe.Tokens.Pipeline;

/// <summary>Turns words into ids and caches them. Safe to share between threads.</summary>
sealed class BpeModel
{
    const int MaxCachedWords = 1 << 17;
    const int MaxCachedLength = 64;
    const int MaxStackLength = 128;
    const int NoId = -1;

    readonly BpeVocabulary _vocabulary;
    readonly bool _isByteLevel;

    /// <summary>The id of each byte's symbol.</summary>
    readonly int[] _byteIds = new int[256];

    /// <summary>The id of each character of one UTF-16 unit, where words are spelled in characters.</summary>
    readonly int[] _characterIds = [];

    readonly ConcurrentDictionary<string, int[]>.AlternateLookup<ReadOnlySpan<char>> _cache;
    int _cachedWords;

    [ThreadStatic]
    static Scratch? _scratch;

    public BpeModel(BpeVocabulary vocabulary, bool isByteLevel)
    {
        _vocabulary = vocabulary;
        _isByteLevel = isByteLevel;
        for (var b = 0; b < 256; b++)
        {
            var symbol = isByteLevel ? ByteLevelAlphabet.ToCharacter((byte)b).ToString() : $"<0x{b:X2}>";
            _byteIds[b] = vocabulary.Ids.GetValueOrDefault(symbol, NoId);
        }

        if (!isByteLevel)
        {
            _characterIds = new int[char.MaxValue + 1];
            Array.Fill(_characterIds, NoId);
            foreach (var (token, id) in vocabulary.Ids.Where(token => token.Key.Length == 1))
            {
                _characterIds[token[0]] = id;
            }
        }

        var cache = new ConcurrentDictionary<string, int[]>(StringComparer.Ordinal);
        _cache = cache.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    /// <summary>Appends the ids of a word.</summary>
    public void Encode(ReadOnlySpan<char> word, List<int> output)
    {
        if (word.Length == 0)
        {
            return;
        }

        if (_cache.TryGetValue(word, out var cachedIds))
        {
            output.AddRange(cachedIds);
            return;
        }

        var ids = EncodeUncached(word);
        output.AddRange(ids);
        var isCacheable = word.Length <= MaxCachedLength && Volatile.Read(ref _cachedWords) < MaxCachedWords;
        if (isCacheable && _cache.TryAdd(word, [.. ids]))
        {
            Interlocked.Increment(ref _cachedWords);
        }
    }

    /// <summary>Ids of a word, in a list that the next word of this thread overwrites.</summary>
    List<int> EncodeUncached(ReadOnlySpan<char> word)
    {
        var scratch = _scratch ??= new Scratch();
        scratch.Symbols.Clear();
        scratch.Ids.Clear();
        if (_vocabulary.IgnoreMerges && _vocabulary.Ids.TryGetValue(ToVocabularyText(word), out var id))
        {
            scratch.Ids.Add(id);
            return scratch.Ids;
        }

        if (_isByteLevel)
        {
            AddByteSymbols(word, scratch.Symbols);
        }
        else
        {
            AddCharacterSymbols(word, scratch.Symbols);
        }

        scratch.Merger.Merge(scratch.Symbols, _vocabulary.Merges, scratch.Ids);
        return scratch.Ids;
    }

    string ToVocabularyText(ReadOnlySpan<char> word) => _isByteLevel ? ByteLevelAlphabet.Encode(word) : word.ToString();

    void AddByteSymbols(ReadOnlySpan<char> word, List<int> symbols)
    {
        var isAfterUnknown = false;
        var bytes =
            word.Length <= MaxStackLength
                ? stackalloc byte[3 * MaxStackLength]
                : new byte[Encoding.UTF8.GetMaxByteCount(word.Length)];
        foreach (var value in bytes[..Encoding.UTF8.GetBytes(word, bytes)])
        {
            AddSymbol(_byteIds[value], ref isAfterUnknown, symbols);
        }
    }

    void AddCharacterSymbols(ReadOnlySpan<char> word, List<int> symbols)
    {
        var isAfterUnknown = false;
        for (var i = 0; i < word.Length;)
        {
            CodePoints.GetAt(word, i, out var length);
            var character = word.Slice(i, length);
            i += length;
            var id =
                length == 1
                    ? _characterIds[character[0]]
                    : _vocabulary.Ids.GetValueOrDefault(character.ToString(), NoId);
            var isSpelledInBytes = id < 0 && _vocabulary.ByteFallback && TryAddBytes(character, symbols);
            if (!isSpelledInBytes)
            {
                AddSymbol(id, ref isAfterUnknown, symbols);
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

    /// <summary>
    /// A symbol without an id becomes the unknown token, several in a row one where they fuse; without an unknown token
    /// it is dropped.
    /// </summary>
    void AddSymbol(int id, ref bool isAfterUnknown, List<int> symbols)
    {
        var isFused = isAfterUnknown && _vocabulary.FuseUnknown;
        isAfterUnknown = id < 0;
        if (id >= 0)
        {
            symbols.Add(id);
        }
        else if (_vocabulary.UnknownId is { } unknownId && !isFused)
        {
            symbols.Add(unknownId);
        }
    }

    /// <summary>What a thread reuses from word to word.</summary>
    sealed class Scratch
    {
        public BpeMerger Merger { get; } = new();
        public List<int> Symbols { get; } = [];
        public List<int> Ids { get; } = [];
    }
}

/// <summary>
/// Merges the symbols of one word: the lowest rank first, among equals the leftmost. Reused for many words; one per
/// thread.
/// </summary>
sealed class BpeMerger
{
    /// <summary>
    /// Up to this length searching all pairs for the lowest rank is faster than keeping them in a queue.
    /// </summary>
    const int MaxShortLength = 48;

    readonly PriorityQueue<(int Position, int Id), long> _queue = new();
    readonly int[] _ranks = new int[MaxShortLength];
    readonly int[] _merged = new int[MaxShortLength];
    int[] _ids = new int[64];
    int[] _previous = new int[64];
    int[] _next = new int[64];

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

        Link(symbols);
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

    /// <summary>Lays the symbols out as a list that is linked in both directions.</summary>
    void Link(List<int> symbols)
    {
        var count = symbols.Count;
        if (_ids.Length < count)
        {
            _ids = new int[count * 2];
            _previous = new int[count * 2];
            _next = new int[count * 2];
        }

        for (var i = 0; i < count; i++)
        {
            _ids[i] = symbols[i];
            _previous[i] = i - 1;
            _next[i] = i + 1 < count ? i + 1 : -1;
        }
    }

    // Most words of a text come here for the first time while the runtime still counts calls: compile it well at once.
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
            var best = -1;
            var bestRank = int.MaxValue;
            for (var i = 0; i + 1 < count; i++)
            {
                if (_ranks[i] < bestRank)
                {
                    best = i;
                    bestRank = _ranks[i];
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

    /// <summary>
    /// Merges a pair, unless it is stale: its left symbol is no longer there, or the pair now merges to something else.
    /// </summary>
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
/// Splits a segment that no pre-tokenizer splits, exactly where no merge can cross: before each word mark whose left
/// neighbor is another character and stands beside a word mark in no merge's result. The ids are the same, and short
/// words can be cached.
/// </summary>
sealed class MergeBoundarySplitter(BpeVocabulary vocabulary)
{
    const char WordMark = '\u2581';

    readonly bool _canSplit =
        !vocabulary.IgnoreMerges
        && vocabulary.Ids.ContainsKey(WordMark.ToString())
        && !vocabulary.Merges.Pairs.Any(pair => IsByte(vocabulary, pair.Left) || IsByte(vocabulary, pair.Right));

    public void Split(TextPiece piece, List<TextPiece> output)
    {
        if (!_canSplit)
        {
            output.Add(piece);
            return;
        }

        var text = piece.Span;
        var start = 0;
        for (var i = 1; i < text.Length; i++)
        {
            if (text[i] == WordMark && !CanMergeCross(text[i - 1]))
            {
                output.Add(piece.Slice(start, i - start));
                start = i;
            }
        }

        output.Add(piece.Slice(start, text.Length - start));
    }

    /// <summary>A merge's result may hold this character before a word mark.</summary>
    bool CanMergeCross(char beforeMark) =>
        beforeMark == WordMark || vocabulary.Neighbors.Contains((beforeMark, WordMark));

    static bool IsByte(BpeVocabulary vocabulary, int id) => vocabulary.ByteIds.Contains(id);
}
