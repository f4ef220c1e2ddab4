namespace CoPe.Tokens.Pipeline;

/// <summary>Tokens, merges and switches of a BPE model.</summary>
sealed class BpeVocabulary
{
    /// <summary>A file with a higher id is taken for broken, before a table of that size is made.</summary>
    public const int MaxId = 1 << 24;

    public required IReadOnlyDictionary<string, int> Ids { get; init; }

    /// <summary>Pairs of ids to the rank and id of what they merge to.</summary>
    public required MergeTable Merges { get; init; }

    /// <summary>
    /// Characters that stand side by side inside some merge's result: only there can a merge cross a boundary.
    /// </summary>
    public required HashSet<(char, char)> Neighbors { get; init; }

    /// <summary>Ids of the tokens that stand for one byte of a character without a token of its own.</summary>
    public IReadOnlySet<int> ByteIds =>
        field ??= Enumerable.Range(0, 256).Select(b => Ids.GetValueOrDefault($"<0x{b:X2}>", -1)).ToHashSet();

    public int? UnknownId { get; init; }
    public bool FuseUnknown { get; init; }
    public bool ByteFallback { get; init; }

    /// <summary>A word that is a token as a whole is taken as such before any merge.</summary>
    public bool IgnoreMerges { get; init; }

    public static long PackPair(int left, int right) => ((long)left << 32) | (uint)right;

    public static BpeVocabulary Read(JsonPart model)
    {
        var type = model["type"];
        if (!type.IsAbsent && type.GetString() != "BPE")
        {
            throw type.Unsupported("model", type.GetString(), "BPE");
        }

        CheckUnsupported(model);
        var ids = ReadIds(model["vocab"]);
        var neighbors = new HashSet<(char, char)>();
        var merges = ReadMerges(model["merges"], ids, neighbors);
        return new BpeVocabulary
        {
            Ids = ids,
            Merges = merges,
            Neighbors = neighbors,
            UnknownId = ReadUnknownId(model["unk_token"], ids),
            FuseUnknown = model["fuse_unk"].GetBoolean(false),
            ByteFallback = model["byte_fallback"].GetBoolean(false),
            IgnoreMerges = model["ignore_merges"].GetBoolean(false),
        };
    }

    static int? ReadUnknownId(JsonPart part, Dictionary<string, int> ids)
    {
        if (part.GetStringOrNull() is not { } token)
        {
            return null;
        }

        return ids.TryGetValue(token, out var id) ? id : throw part.Error($"\"{token}\" is not in model.vocab");
    }

    static void CheckUnsupported(JsonPart model)
    {
        foreach (var name in (string[])["continuing_subword_prefix", "end_of_word_suffix"])
        {
            if (model[name].GetStringOrNull() is { Length: > 0 } affix)
            {
                throw model[name].Unsupported(name, affix, "none");
            }
        }

        var dropout = model["dropout"];
        if (!dropout.IsAbsent && dropout.Element.GetRawText() is not ("0" or "0.0"))
        {
            throw dropout.Unsupported("dropout", dropout.Element.GetRawText(), "none");
        }
    }

    static Dictionary<string, int> ReadIds(JsonPart vocabulary)
    {
        var ids = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var (token, value) in vocabulary.EnumerateObject())
        {
            var id = value.GetInt32();
            if (id is < 0 or > MaxId)
            {
                throw vocabulary.Error($"\"{token}\" has the id {id}; 0 to {MaxId} was expected");
            }

            ids[token] = id;
        }

        return ids;
    }

    static MergeTable ReadMerges(JsonPart part, Dictionary<string, int> ids, HashSet<(char, char)> neighbors)
    {
        var merges = new MergeTable();
        var rank = 0;
        foreach (var item in part.EnumerateArray())
        {
            var (left, right) = ReadMerge(item);
            var merged = left + right;
            for (var i = 1; i < merged.Length; i++)
            {
                neighbors.Add((merged[i - 1], merged[i]));
            }

            var leftId = RequireId(left, item, ids);
            var rightId = RequireId(right, item, ids);
            var mergedId = RequireId(merged, item, ids);
            merges.Set(leftId, rightId, (rank, mergedId));
            rank++;
        }

        return merges;
    }

    static (string Left, string Right) ReadMerge(JsonPart item)
    {
        var parts = item.IsArray
            ? [.. item.EnumerateArray().Select(part => part.GetString())]
            : item.GetString().Split(' ');
        return parts.Length == 2
            ? (parts[0], parts[1])
            : throw item.Error($"has {parts.Length} parts; a merge has two");
    }

    static int RequireId(string token, JsonPart item, Dictionary<string, int> ids) =>
        ids.TryGetValue(token, out var id) ? id : throw item.Error($"names \"{token}\", which is not in model.vocab");
}

/// <summary>
/// Pairs of ids to the rank and id of what they merge to. A hash table of its own, because encoding spends its time
/// here and .NET's hash of a pair of small numbers, their exclusive or, is the same for thousands of pairs.
/// </summary>
sealed class MergeTable
{
    const long EmptySlot = -1;

    long[] _pairs = [.. Enumerable.Repeat(EmptySlot, 16)];
    (int Rank, int Id)[] _merges = new (int, int)[16];
    int _count;

    /// <summary>Every pair.</summary>
    public IEnumerable<(int Left, int Right)> Pairs =>
        _pairs.Where(pair => pair != EmptySlot).Select(pair => ((int)(pair >> 32), (int)pair));

    /// <summary>Adds a pair of ids >= 0, or replaces what it merges to.</summary>
    public void Set(int left, int right, (int Rank, int Id) merge)
    {
        if (2 * (_count + 1) > _pairs.Length)
        {
            Grow();
        }

        var pair = BpeVocabulary.PackPair(left, right);
        var place = FindSlot(pair);
        if (_pairs[place] == EmptySlot)
        {
            _count++;
        }

        (_pairs[place], _merges[place]) = (pair, merge);
    }

    /// <summary>What a pair merges to, if it does.</summary>
    public bool TryGet(int left, int right, out (int Rank, int Id) merge)
    {
        var pair = BpeVocabulary.PackPair(left, right);
        var place = FindSlot(pair);
        merge = _merges[place];
        return _pairs[place] == pair;
    }

    /// <summary>Where a pair stands, or the free place where it would.</summary>
    int FindSlot(long pair)
    {
        var mixed = (ulong)pair * SplitMix64.Increment; // Fibonacci hashing: neighbors end far apart
        var mask = _pairs.Length - 1;
        var place = (int)((mixed ^ (mixed >> 32)) & (ulong)mask);
        while (_pairs[place] != pair && _pairs[place] != EmptySlot)
        {
            place = (place + 1) & mask;
        }

        return place;
    }

    void Grow()
    {
        var (pairs, merges) = (_pairs, _merges);
        _pairs = [.. Enumerable.Repeat(EmptySlot, 2 * pairs.Length)];
        _merges = new (int, int)[2 * pairs.Length];
        for (var i = 0; i < pairs.Length; i++)
        {
            if (pairs[i] == EmptySlot)
            {
                continue;
            }

            var place = FindSlot(pairs[i]);
            (_pairs[place], _merges[place]) = (pairs[i], merges[i]);
        }
    }
}

/// <summary>Tokens by id and ids by token, added tokens over those of the model.</summary>
sealed class TokenTable
{
    readonly string?[] _tokens;
    readonly HashSet<int> _special;
    readonly Dictionary<string, int> _added;
    readonly IReadOnlyDictionary<string, int> _ids;

    public TokenTable(IReadOnlyDictionary<string, int> ids, IReadOnlyList<AddedToken> added)
    {
        _ids = ids;
        var maxId = ids.Values.Concat(added.Select(token => token.Id)).DefaultIfEmpty(-1).Max();
        _tokens = new string?[maxId + 1];
        foreach (var (token, id) in ids)
        {
            _tokens[id] = token;
        }

        foreach (var token in added)
        {
            _tokens[token.Id] = token.Content;
        }

        _added = added
            .GroupBy(token => token.Content)
            .ToDictionary(group => group.Key, group => group.Last().Id, StringComparer.Ordinal);
        _special = [.. added.Where(token => token.Special).Select(token => token.Id)];
    }

    public int Count => _tokens.Length;

    public int? TokenToId(string token) =>
        _added.TryGetValue(token, out var id) || _ids.TryGetValue(token, out id) ? id : null;

    public string? IdToToken(int id) => (uint)id < (uint)_tokens.Length ? _tokens[id] : null;

    public bool IsSpecial(int id) => _special.Contains(id);
}
