namespace CoPe.Tokens.Pipeline;

/// <summary>Tokens, merges and switches of a BPE model.</summary>
internal sealed class BpeVocabulary
{
    /// <summary>Ids above this are taken for a broken file: no table is laid out for them.</summary>
    public const int MaxId = 1 << 24;

    public required IReadOnlyDictionary<string, int> Ids { get; init; }

    /// <summary>(left id, right id) -> rank and id of what they merge to.</summary>
    public required MergeTable Merges { get; init; }

    /// <summary>Characters that stand side by side inside some merge's result: only there can a merge cross a cut.</summary>
    public required HashSet<(char, char)> Neighbours { get; init; }

    /// <summary>Ids of the tokens that stand for one byte of a character without a token of its own.</summary>
    public IReadOnlySet<int> ByteIds => field ??= Enumerable.Range(0, 256).Select(b => Ids.GetValueOrDefault($"<0x{b:X2}>", -1)).ToHashSet();

    public int? UnknownId { get; init; }
    public bool FuseUnknown { get; init; }
    public bool ByteFallback { get; init; }

    /// <summary>A word that is a token as a whole is taken as such before any merge.</summary>
    public bool IgnoreMerges { get; init; }

    public static long Pair(int left, int right) => ((long)left << 32) | (uint)right;

    public static BpeVocabulary Read(JsonPart model)
    {
        var type = model["type"];
        if (!type.IsAbsent && type.Text() != "BPE") throw type.Unknown("model", type.Text(), "BPE");
        RefuseAffixes(model);
        var ids = ReadIds(model["vocab"]);
        var neighbours = new HashSet<(char, char)>();
        var merges = ReadMerges(model["merges"], ids, neighbours);
        var unknown = model["unk_token"];
        return new BpeVocabulary
        {
            Ids = ids,
            Merges = merges,
            Neighbours = neighbours,
            UnknownId = unknown.TextOrNull() is not { } token ? null
                : ids.TryGetValue(token, out var id) ? id : throw unknown.Fail($"\"{token}\" is not in model.vocab"),
            FuseUnknown = model["fuse_unk"].Flag(false),
            ByteFallback = model["byte_fallback"].Flag(false),
            IgnoreMerges = model["ignore_merges"].Flag(false),
        };
    }

    static void RefuseAffixes(JsonPart model)
    {
        foreach (var name in (string[])["continuing_subword_prefix", "end_of_word_suffix"])
            if (model[name].TextOrNull() is { Length: > 0 } affix) throw model[name].Unknown(name, affix, "none");
        var dropout = model["dropout"];
        if (!dropout.IsAbsent && dropout.Element.GetRawText() is not ("0" or "0.0")) throw dropout.Unknown("dropout", dropout.Element.GetRawText(), "none");
    }

    static Dictionary<string, int> ReadIds(JsonPart vocabulary)
    {
        var ids = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var (token, value) in vocabulary.Members())
        {
            var id = value.Number();
            if (id is < 0 or > MaxId) throw vocabulary.Fail($"\"{token}\" has the id {id}; 0 to {MaxId} was expected");
            ids[token] = id;
        }
        return ids;
    }

    static MergeTable ReadMerges(JsonPart part, Dictionary<string, int> ids, HashSet<(char, char)> neighbours)
    {
        var merges = new MergeTable();
        var rank = 0;
        foreach (var item in part.Items())
        {
            var (left, right) = ReadMerge(item);
            var merged = left + right;
            for (var i = 1; i < merged.Length; i++) neighbours.Add((merged[i - 1], merged[i]));
            merges.Set(IdOf(left, item, ids), IdOf(right, item, ids), (rank++, IdOf(merged, item, ids)));
        }
        return merges;
    }

    static (string Left, string Right) ReadMerge(JsonPart item)
    {
        var parts = item.IsArray ? [.. item.Items().Select(part => part.Text())] : item.Text().Split(' ');
        return parts.Length == 2 ? (parts[0], parts[1]) : throw item.Fail($"has {parts.Length} parts; a merge has two");
    }

    static int IdOf(string token, JsonPart item, Dictionary<string, int> ids) =>
        ids.TryGetValue(token, out var id) ? id : throw item.Fail($"names \"{token}\", which is not in model.vocab");
}
