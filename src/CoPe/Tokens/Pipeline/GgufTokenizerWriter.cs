using System.Text.Json;

namespace CoPe.Tokens.Pipeline;

/// <summary>Says in a GGUF file's metadata what a tokenizer is, such that it is read as the same.</summary>
static class GgufTokenizerWriter
{
    const string Prefix = GgufTokenizer.Prefix;

    /// <summary>The keys, in llama.cpp's order.</summary>
    /// <param name="folder">Where the tokenizer is from: a model folder or a GGUF file.</param>
    /// <param name="tokenizer">The tokenizer.</param>
    /// <param name="rows">Rows of the model's embedding: llama.cpp wants as many tokens.</param>
    /// <param name="stops">Ids that end an answer by the model's configuration.</param>
    /// <exception cref="TokenizerException">llama.cpp has no such tokenizer.</exception>
    public static IEnumerable<KeyValuePair<string, object>> Create(
        string folder,
        Tokenizer tokenizer,
        int rows,
        IReadOnlyList<int> stops
    )
    {
        var root = ReadRoot(folder);
        var isByteLevel = tokenizer.File.PreTokenizer.IsByteLevel;
        yield return new(Prefix + "model", isByteLevel ? "gpt2" : "llama");
        yield return new(Prefix + "pre", isByteLevel ? FindPreTokenizer(root) : "default");
        var table = new TokenRows(tokenizer, rows, isByteLevel);
        yield return new(Prefix + "tokens", table.Texts);
        yield return new(Prefix + "token_type", table.Types);
        if (isByteLevel)
        {
            yield return new(Prefix + "merges", ListMerges(tokenizer));
        }
        else
        {
            yield return new(Prefix + "scores", table.Scores);
            yield return new(Prefix + "add_space_prefix", FindSpacePrefix(root));
        }

        var (before, after) = FindSpecialTokens(tokenizer);
        var bos = tokenizer.BosId ?? (before.Length > 0 ? before[0] : null);
        foreach (var (key, id) in ListIds(tokenizer, bos, stops).Where(named => named.Id is >= 0 && named.Id < rows))
        {
            yield return new(Prefix + key, (uint)id!);
        }

        yield return new(Prefix + "add_bos_token", before.Length > 0);
        yield return new(Prefix + "add_eos_token", after.Length > 0);
        if (tokenizer.Config.ChatTemplate is { } template)
        {
            yield return new("tokenizer.chat_template", template);
        }
    }

    static JsonPart ReadRoot(string folder) =>
        Gguf.GgufFile.IsNamed(folder)
            ? GgufTokenizer.Read(folder).Tokenizer
            : JsonPart.Read(Path.Combine(folder, GgufTokenizer.TokenizerFileName));

    /// <summary>What stands before and behind every text.</summary>
    static (int[] Before, int[] After) FindSpecialTokens(Tokenizer tokenizer)
    {
        const int Text = -1;
        var ids = tokenizer.AddSpecialTokens([Text]);
        var place = Array.IndexOf(ids, Text);
        return (ids[..place], ids[(place + 1)..]);
    }

    static IEnumerable<(string Key, int? Id)> ListIds(Tokenizer tokenizer, int? bos, IReadOnlyList<int> stops)
    {
        var eos = tokenizer.EosId ?? (stops.Count > 0 ? stops[0] : null);
        yield return ("bos_token_id", bos);
        yield return ("eos_token_id", eos);
        yield return ("eot_token_id", stops.Where(id => id != eos).Select(id => (int?)id).FirstOrDefault());
        yield return ("padding_token_id", tokenizer.PadId);
        yield return ("unknown_token_id", tokenizer.File.Vocabulary.UnknownId);
    }

    static string[] ListMerges(Tokenizer tokenizer)
    {
        var merges = tokenizer.File.Vocabulary.Merges;
        return
        [
            .. merges
                .Pairs.Select(pair =>
                {
                    merges.TryGet(pair.Left, pair.Right, out var merge);
                    return (merge.Rank, pair.Left, pair.Right);
                })
                .OrderBy(merge => merge.Rank)
                .Select(merge => $"{tokenizer.IdToToken(merge.Left)} {tokenizer.IdToToken(merge.Right)}"),
        ];
    }

    /// <summary>llama.cpp's name of a byte-level tokenizer's normalizer and pre-tokenizer.</summary>
    static string FindPreTokenizer(JsonPart root)
    {
        var wanted = Describe(root["normalizer"], root["pre_tokenizer"]);
        foreach (var (name, pipeline) in GgufPipeline.Known)
        {
            if (Describe(Parse(pipeline.Normalizer), Parse(pipeline.PreTokenizer)) == wanted)
            {
                return name;
            }
        }

        throw root["pre_tokenizer"]
            .Error(
                "has no name in llama.cpp that is known here; supported are those of "
                    + string.Join(", ", GgufPipeline.Known.Keys)
            );
    }

    static JsonPart Parse(string? part) =>
        part is null ? default : new JsonPart("", "", Json.StrictJson.Parse(System.Text.Encoding.UTF8.GetBytes(part)));

    /// <summary>What of both parts decides about ids.</summary>
    static string Describe(JsonPart normalizer, JsonPart preTokenizer) =>
        string.Join('|', ListSteps(normalizer, "normalizers").Concat(ListSteps(preTokenizer, "pretokenizers")));

    static IEnumerable<string> ListSteps(JsonPart part, string listKey)
    {
        if (part.IsAbsent)
        {
            return [];
        }

        var type = part["type"].GetString();
        return type switch
        {
            "Sequence" => part[listKey].EnumerateArray().SelectMany(item => ListSteps(item, listKey)),
            "Split" => [$"Split {part["pattern"].Element.GetRawPattern()} {part["behavior"].GetStringOrNull()}"],
            "Digits" => [$"Digits {part["individual_digits"].GetBoolean(false)}"],
            "ByteLevel" =>
            [
                $"ByteLevel {part["use_regex"].GetBoolean(true)} {part["add_prefix_space"].GetBoolean(true)}",
            ],
            _ => [type],
        };
    }

    static string GetRawPattern(this JsonElement pattern) =>
        pattern.TryGetProperty("Regex", out var regex) ? regex.GetString() ?? "" : pattern.GetRawText();

    /// <summary>Whether a space is put before a text.</summary>
    static bool FindSpacePrefix(JsonPart root)
    {
        var steps = ListSteps(root["normalizer"], "normalizers").ToList();
        var words = root["pre_tokenizer"];
        var isMetaspace = !words.IsAbsent && words["type"].GetString() == "Metaspace";
        return steps.Contains("Prepend") || (isMetaspace && Metaspace.Read(words).Scheme != "never");
    }
}

/// <summary>A tokenizer's tokens as the arrays of a GGUF file, one element for each row of the embedding.</summary>
sealed class TokenRows
{
    const string Mark = "\u2581";

    public TokenRows(Tokenizer tokenizer, int rows, bool isByteLevel)
    {
        Texts = new string[rows];
        Types = new int[rows];
        Scores = new float[rows];
        var ranks = RankTokens(tokenizer.File.Vocabulary.Merges);
        var added = tokenizer.AddedTokenTexts.ToHashSet(StringComparer.Ordinal);
        for (var id = 0; id < rows; id++)
        {
            var text = tokenizer.IdToToken(id);
            var type = FindType(tokenizer, id, text, added, isByteLevel);
            var isMerged = ranks.TryGetValue(id, out var rank);
            // llama.cpp's converter writes such tokens with spaces.
            var hasSpaces = !isByteLevel && type == GgufTokenType.UserDefined && isMerged;
            Texts[id] =
                text is null ? FormattableString.Invariant($"[PAD{id}]")
                : hasSpaces ? text.Replace(Mark, " ", StringComparison.Ordinal)
                : text;
            Types[id] = (int)type;
            Scores[id] = isMerged ? -rank : GetScore(type, ranks.Count);
        }
    }

    public string[] Texts { get; }

    public int[] Types { get; }

    public float[] Scores { get; }

    /// <summary>Of tokens that no merge makes: below all that are made.</summary>
    static float GetScore(GgufTokenType type, int merged) =>
        type is GgufTokenType.Normal or GgufTokenType.UserDefined ? Math.Min(GgufVocabulary.NoScore, -merged) : 0;

    static GgufTokenType FindType(Tokenizer tokenizer, int id, string? text, HashSet<string> added, bool isByteLevel)
    {
        if (text is null)
        {
            return GgufTokenType.Unused;
        }

        if (!isByteLevel && id == tokenizer.File.Vocabulary.UnknownId)
        {
            return GgufTokenType.Unknown;
        }

        if (tokenizer.IsSpecial(id))
        {
            return GgufTokenType.Control;
        }

        if (added.Contains(text))
        {
            return GgufTokenType.UserDefined;
        }

        return !isByteLevel && tokenizer.File.Vocabulary.ByteIds.Contains(id)
            ? GgufTokenType.Byte
            : GgufTokenType.Normal;
    }

    /// <summary>For each token that merges make its place among them, by its first merge.</summary>
    static Dictionary<int, int> RankTokens(MergeTable merges)
    {
        var first = new Dictionary<int, int>();
        foreach (var (left, right) in merges.Pairs)
        {
            merges.TryGet(left, right, out var merge);
            first[merge.Id] = Math.Min(merge.Rank, first.GetValueOrDefault(merge.Id, int.MaxValue));
        }

        return first.OrderBy(token => token.Value).Select((token, place) => (token.Key, place)).ToDictionary();
    }
}
