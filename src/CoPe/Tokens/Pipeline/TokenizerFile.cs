namespace CoPe.Tokens.Pipeline;

/// <summary>
/// Everything that <c>tokenizer.json</c> says, read into the parts that do the work. Its truncation and padding
/// settings are left to the caller, as in transformers.
/// </summary>
sealed record TokenizerFile
{
    public required IReadOnlyList<AddedToken> AddedTokens { get; init; }
    public required Func<string, bool, string> Normalize { get; init; }
    public required PreTokenizer PreTokenizer { get; init; }
    public required BpeVocabulary Vocabulary { get; init; }
    public required SpecialTokenTemplate SpecialTokens { get; init; }
    public required TokenDecoder Decoder { get; init; }

    /// <summary>Tokens after which a caller that truncates cuts a text.</summary>
    public int? TruncationLength { get; init; }

    /// <summary>Id with which a caller that pads fills a text.</summary>
    public int? PaddingId { get; init; }

    /// <param name="file">The tokenizer.json.</param>
    /// <param name="addPrefixSpace">What tokenizer_config.json says of a space before a text.</param>
    public static TokenizerFile Read(string file, bool? addPrefixSpace = null)
    {
        if (!File.Exists(file))
        {
            throw new TokenizerException(
                file,
                "",
                "is missing; a model folder in Hugging Face layout with a tokenizer.json was expected"
            );
        }

        return Read(JsonPart.Read(file), addPrefixSpace);
    }

    /// <param name="root">The whole of it.</param>
    /// <param name="addPrefixSpace">What tokenizer_config.json says of a space before a text.</param>
    public static TokenizerFile Read(JsonPart root, bool? addPrefixSpace = null)
    {
        var added = root["added_tokens"];
        var vocabulary = BpeVocabulary.Read(root["model"]);
        return new TokenizerFile
        {
            AddedTokens = added.IsAbsent ? [] : [.. added.EnumerateArray().Select(part => ReadAdded(part, vocabulary))],
            Normalize = Normalizer.Read(root["normalizer"]),
            PreTokenizer = PreTokenizer.Read(root["pre_tokenizer"], addPrefixSpace),
            Vocabulary = vocabulary,
            SpecialTokens = SpecialTokenTemplate.Read(root["post_processor"]),
            Decoder = TokenDecoder.Read(root["decoder"]),
            TruncationLength = ReadSetting(root["truncation"], "max_length"),
            PaddingId = ReadSetting(root["padding"], "pad_id"),
        };
    }

    static int? ReadSetting(JsonPart settings, string name) =>
        settings.IsAbsent || settings[name].IsAbsent ? null : settings[name].GetInt32();

    static AddedToken ReadAdded(JsonPart part, BpeVocabulary vocabulary)
    {
        var token = AddedToken.Read(part);
        if (token.Id is < 0 or > BpeVocabulary.MaxId)
        {
            throw part.Error($"has the id {token.Id}; 0 to {BpeVocabulary.MaxId} was expected");
        }

        if (vocabulary.Ids.TryGetValue(token.Content, out var id) && id != token.Id)
        {
            throw part.Error($"gives \"{token.Content}\" the id {token.Id}, but model.vocab gives it {id}");
        }

        return token;
    }
}

/// <summary>What the post-processor puts before and after the ids of a text.</summary>
sealed record SpecialTokenTemplate(int[] Before, int[] After)
{
    const string Known = "TemplateProcessing, ByteLevel, Sequence";

    static readonly SpecialTokenTemplate Nothing = new([], []);

    public static SpecialTokenTemplate Read(JsonPart part)
    {
        if (part.IsAbsent)
        {
            return Nothing;
        }

        var type = part["type"].GetString();
        return type switch
        {
            "ByteLevel" => Nothing, // concerns offsets only
            "Sequence" => part["processors"].EnumerateArray().Select(Read).Aggregate(Nothing, Wrap),
            "TemplateProcessing" => ReadTemplate(part),
            _ => throw part.Unsupported("post-processor", type, Known),
        };
    }

    /// <summary>
    /// The same with BOS and EOS put in or left out as the configuration's switches say, as in transformers.
    /// </summary>
    public SpecialTokenTemplate Apply(bool? addBos, int? bosId, bool? addEos, int? eosId)
    {
        var before = Before;
        if (addBos is { } withBos && bosId is { } bos)
        {
            var rest = Before.Length > 0 && Before[0] == bos ? Before[1..] : Before;
            before = withBos ? [bos, .. rest] : rest;
        }

        var after = After;
        if (addEos is { } withEos && eosId is { } eos)
        {
            var rest = After.Length > 0 && After[^1] == eos ? After[..^1] : After;
            after = withEos ? [.. rest, eos] : rest;
        }

        return new(before, after);
    }

    static SpecialTokenTemplate Wrap(SpecialTokenTemplate inner, SpecialTokenTemplate outer) =>
        new([.. outer.Before, .. inner.Before], [.. inner.After, .. outer.After]);

    static SpecialTokenTemplate ReadTemplate(JsonPart part)
    {
        List<int> before = [];
        List<int> after = [];
        var isAfterText = false;
        foreach (var item in part["single"].EnumerateArray())
        {
            var isText = !item["Sequence"].IsAbsent;
            if (isText && isAfterText)
            {
                throw item.Error("names the text a second time");
            }

            if (isText)
            {
                isAfterText = true;
                continue;
            }

            var name = item["SpecialToken"]["id"].GetString();
            var ids = part["special_tokens"][name]["ids"].EnumerateArray().Select(id => id.GetInt32());
            (isAfterText ? after : before).AddRange(ids);
        }

        return isAfterText
            ? new SpecialTokenTemplate([.. before], [.. after])
            : throw part["single"].Error("has no place for the text");
    }
}
