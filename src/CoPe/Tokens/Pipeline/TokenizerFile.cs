namespace CoPe.Tokens.Pipeline;

/// <summary>
/// Everything that tokenizer.json says, read into the parts that do the work. Its truncation and padding settings are
/// left to the caller, as in transformers.
/// </summary>
sealed record TokenizerFile
{
    public required IReadOnlyList<AddedToken> AddedTokens { get; init; }
    public required Func<string, bool, string> Normalize { get; init; }
    public required PreTokenizer PreTokenizer { get; init; }
    public required BpeVocabulary Vocabulary { get; init; }
    public required SpecialTokenTemplate SpecialTokens { get; init; }
    public required TokenDecoder Decoder { get; init; }

    public static TokenizerFile Read(string file)
    {
        if (!File.Exists(file))
        {
            throw new TokenizerException(
                file,
                "",
                "is missing; a model folder in Hugging Face layout with a tokenizer.json was expected"
            );
        }

        var root = JsonPart.Read(file);
        var added = root["added_tokens"];
        var vocabulary = BpeVocabulary.Read(root["model"]);
        return new TokenizerFile
        {
            AddedTokens = added.IsAbsent ? [] : [.. added.EnumerateArray().Select(part => ReadAdded(part, vocabulary))],
            Normalize = Normalizer.Read(root["normalizer"]),
            PreTokenizer = PreTokenizer.Read(root["pre_tokenizer"]),
            Vocabulary = vocabulary,
            SpecialTokens = SpecialTokenTemplate.Read(root["post_processor"]),
            Decoder = TokenDecoder.Read(root["decoder"]),
        };
    }

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

/// <summary>
/// What tokenizer_config.json, and special_tokens_map.json where that says nothing, tell about special tokens and the
/// chat template.
/// </summary>
sealed record TokenizerConfig
{
    static readonly string[] Names =
    [
        "bos_token",
        "eos_token",
        "pad_token",
        "unk_token",
        "sep_token",
        "cls_token",
        "mask_token",
    ];

    /// <summary>Text of the special tokens by their role, for example <c>eos_token</c>.</summary>
    public required IReadOnlyDictionary<string, string> SpecialTokens { get; init; }

    public IReadOnlyList<string> AdditionalSpecialTokens { get; init; } = [];
    public string? ChatTemplate { get; init; }
    public bool CleanUpSpaces { get; init; }

    public static TokenizerConfig Read(string folder)
    {
        var config = ReadIfPresent(Path.Combine(folder, "tokenizer_config.json"));
        var map = ReadIfPresent(Path.Combine(folder, "special_tokens_map.json"));
        var tokens = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var name in Names)
        {
            if ((ReadContent(config, name) ?? ReadContent(map, name)) is { } content)
            {
                tokens[name] = content;
            }
        }

        return new TokenizerConfig
        {
            SpecialTokens = tokens,
            AdditionalSpecialTokens =
                config is { } found && found["additional_special_tokens"] is { IsArray: true } more
                    ? [.. more.EnumerateArray().Select(ReadContent)]
                    : [],
            ChatTemplate = ReadChatTemplate(folder, config),
            CleanUpSpaces = config is { } present && present["clean_up_tokenization_spaces"].GetBoolean(false),
        };
    }

    static JsonPart? ReadIfPresent(string file) => File.Exists(file) ? JsonPart.Read(file) : null;

    static string? ReadContent(JsonPart? file, string name) =>
        file is { } found && found[name] is { IsAbsent: false } part ? ReadContent(part) : null;

    // A token stands as text, or as an object with its content.
    static string ReadContent(JsonPart part) => part.IsString ? part.GetString() : part["content"].GetString();

    static string? ReadChatTemplate(string folder, JsonPart? config)
    {
        var jinja = Path.Combine(folder, "chat_template.jinja");
        if (File.Exists(jinja))
        {
            return File.ReadAllText(jinja);
        }

        if (ReadIfPresent(Path.Combine(folder, "chat_template.json")) is { } own)
        {
            return own["chat_template"].GetString();
        }

        if (config?["chat_template"] is not { IsAbsent: false } template)
        {
            return null;
        }

        if (template.IsString)
        {
            return template.GetString();
        }

        foreach (var named in template.EnumerateArray())
        {
            if (named["name"].GetString() == "default")
            {
                return named["template"].GetString();
            }
        }

        throw template.Error("holds several templates, none of them named \"default\"");
    }
}

/// <summary>What the post-processor puts before and after the ids of a text.</summary>
sealed record SpecialTokenTemplate(int[] Before, int[] After)
{
    const string Known = "TemplateProcessing, ByteLevel, Sequence";

    public static SpecialTokenTemplate Read(JsonPart part)
    {
        if (part.IsAbsent)
        {
            return new SpecialTokenTemplate([], []);
        }

        var type = part["type"].GetString();
        return type switch
        {
            "ByteLevel" => new SpecialTokenTemplate([], []), // concerns offsets only
            "Sequence" => part["processors"]
                .EnumerateArray()
                .Select(Read)
                .Aggregate(
                    new SpecialTokenTemplate([], []),
                    (inner, outer) =>
                        new SpecialTokenTemplate([.. outer.Before, .. inner.Before], [.. inner.After, .. outer.After])
                ),
            "TemplateProcessing" => ReadTemplate(part),
            _ => throw part.Unsupported("post-processor", type, Known),
        };
    }

    static SpecialTokenTemplate ReadTemplate(JsonPart part)
    {
        List<int> before = [],
            after = [];
        var seen = false;
        foreach (var item in part["single"].EnumerateArray())
        {
            if (!item["Sequence"].IsAbsent)
            {
                seen = !seen ? true : throw item.Error("names the text a second time");
                continue;
            }
            var name = item["SpecialToken"]["id"].GetString();
            (seen ? after : before).AddRange(
                part["special_tokens"][name]["ids"].EnumerateArray().Select(id => id.GetInt32())
            );
        }
        return seen
            ? new SpecialTokenTemplate([.. before], [.. after])
            : throw part["single"].Error("has no place for the text");
    }
}
