using System.Collections.Concurrent;
using System.Text;

namespace CoPe.Tokens.Pipeline;

/// <summary>Turns words into ids, remembering the words it has met. Safe to share between threads.</summary>
internal sealed class BpeModel
{
    const int MaxCachedWords = 1 << 17, MaxCachedLength = 64, LongestOnStack = 128;

    readonly BpeVocabulary _vocabulary;
    readonly bool _byteLevel;
    readonly int[] _byteIds = new int[256]; // id of each byte's symbol, -1 where the vocabulary has none
    readonly int[] _characterIds = []; // likewise of each character of one unit, where words are spelled in characters
    readonly ConcurrentDictionary<string, int[]>.AlternateLookup<ReadOnlySpan<char>> _cache;
    int _cached;

    [ThreadStatic] static (BpeMerger Merger, List<int> Symbols, List<int> Ids)? s_scratch;

    public BpeModel(BpeVocabulary vocabulary, bool byteLevel)
    {
        (_vocabulary, _byteLevel) = (vocabulary, byteLevel);
        for (var b = 0; b < 256; b++)
            _byteIds[b] = vocabulary.Ids.GetValueOrDefault(byteLevel ? ByteAlphabet.Character((byte)b).ToString() : $"<0x{b:X2}>", -1);
        if (!byteLevel)
        {
            _characterIds = new int[char.MaxValue + 1];
            Array.Fill(_characterIds, -1);
            foreach (var (token, id) in vocabulary.Ids.Where(token => token.Key.Length == 1)) _characterIds[token[0]] = id;
        }
        _cache = new ConcurrentDictionary<string, int[]>(StringComparer.Ordinal).GetAlternateLookup<ReadOnlySpan<char>>();
    }

    /// <summary>Appends the ids of a word.</summary>
    public void Encode(ReadOnlySpan<char> word, List<int> output)
    {
        if (word.Length == 0) return;
        if (_cache.TryGetValue(word, out var known)) { output.AddRange(known); return; }
        var (merger, symbols, ids) = (s_scratch ??= (new BpeMerger(), [], []));
        symbols.Clear();
        ids.Clear();
        if (_vocabulary.IgnoreMerges && _vocabulary.Ids.TryGetValue(Spelling(word), out var whole)) ids.Add(whole);
        else
        {
            if (_byteLevel) ByteSymbols(word, symbols); else CharacterSymbols(word, symbols);
            merger.Merge(symbols, _vocabulary.Merges, ids);
        }
        output.AddRange(ids);
        if (word.Length <= MaxCachedLength && Volatile.Read(ref _cached) < MaxCachedWords && _cache.TryAdd(word, [.. ids])) Interlocked.Increment(ref _cached);
    }

    string Spelling(ReadOnlySpan<char> word) => _byteLevel ? ByteAlphabet.Spell(word) : word.ToString();

    void ByteSymbols(ReadOnlySpan<char> word, List<int> symbols)
    {
        var unknown = false;
        Span<byte> bytes = word.Length <= LongestOnStack ? stackalloc byte[3 * LongestOnStack] : new byte[Encoding.UTF8.GetMaxByteCount(word.Length)];
        foreach (var value in bytes[..Encoding.UTF8.GetBytes(word, bytes)]) Add(_byteIds[value], ref unknown, symbols);
    }

    void CharacterSymbols(ReadOnlySpan<char> word, List<int> symbols)
    {
        var unknown = false;
        for (var i = 0; i < word.Length;)
        {
            CodePoints.At(word, i, out var length);
            var character = word.Slice(i, length);
            i += length;
            var id = length == 1 ? _characterIds[character[0]] : _vocabulary.Ids.GetValueOrDefault(character.ToString(), -1);
            if (id >= 0 || !_vocabulary.ByteFallback || !AddBytes(character, symbols)) Add(id, ref unknown, symbols);
        }
    }

    bool AddBytes(ReadOnlySpan<char> character, List<int> symbols)
    {
        var bytes = CodePoints.Utf8(character);
        if (bytes.Any(value => _byteIds[value] < 0)) return false;
        foreach (var value in bytes) symbols.Add(_byteIds[value]);
        return true;
    }

    // A symbol without an id becomes the unknown token, a run of them one where they fuse; without an unknown token it is dropped.
    void Add(int id, ref bool unknown, List<int> symbols)
    {
        if (id >= 0) symbols.Add(id);
        else if (_vocabulary.UnknownId is { } unknownId && !(unknown && _vocabulary.FuseUnknown)) symbols.Add(unknownId);
        unknown = id < 0;
    }
}
