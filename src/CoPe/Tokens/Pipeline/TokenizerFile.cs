using System.Globalization;
using System.Text.Json;

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

/// <summary>
/// Special tokens and chat template from <c>tokenizer_config.json</c>, and from <c>special_tokens_map.json</c> what
/// that leaves out.
/// </summary>
sealed record TokenizerConfig
{
    static readonly string[] Roles =
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

    /// <summary>Most tokens of a text; absent, or far beyond any model, where the tokenizer sets no limit.</summary>
    public double? ModelMaxLength { get; init; }

    /// <summary>The added tokens by id as this file has them beside <c>tokenizer.json</c>.</summary>
    public IReadOnlyDictionary<int, string> AddedTokensDecoder { get; init; } = new Dictionary<int, string>();

    /// <summary>Where the files that this was read from disagree, each in a line.</summary>
    public IReadOnlyList<string> Conflicts { get; init; } = [];

    /// <summary>Whether a text begins with BOS; null leaves that to the post-processor.</summary>
    public bool? AddBos { get; init; }

    /// <summary>Whether a text ends with EOS; null leaves that to the post-processor.</summary>
    public bool? AddEos { get; init; }

    public static TokenizerConfig Read(string folder)
    {
        var config = ReadIfPresent(Path.Combine(folder, "tokenizer_config.json"));
        var map = ReadIfPresent(Path.Combine(folder, "special_tokens_map.json"));
        var tokens = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var role in Roles)
        {
            var content = ReadContent(config, role) ?? ReadContent(map, role);
            if (content is not null)
            {
                tokens[role] = content;
            }
        }

        var template = ReadChatTemplate(folder, config);
        return new TokenizerConfig
        {
            SpecialTokens = tokens,
            AdditionalSpecialTokens = ReadAdditional(config?["additional_special_tokens"]),
            ChatTemplate = template,
            ModelMaxLength = ReadNumber(config?["model_max_length"]),
            AddedTokensDecoder = ReadAddedTokens(config?["added_tokens_decoder"]),
            Conflicts = [.. FindRoleConflicts(config, map), .. FindTemplateConflicts(config, template)],
            CleanUpSpaces = config?["clean_up_tokenization_spaces"].GetBoolean(false) ?? false,
            AddBos = ReadSwitch(config, "add_bos_token", tokens, "bos_token"),
            AddEos = ReadSwitch(config, "add_eos_token", tokens, "eos_token"),
        };
    }

    static double? ReadNumber(JsonPart? part) =>
        part is { Element.ValueKind: JsonValueKind.Number } number && number.Element.TryGetDouble(out var value)
            ? value
            : null;

    static Dictionary<int, string> ReadAddedTokens(JsonPart? part)
    {
        var tokens = new Dictionary<int, string>();
        foreach (var (id, token) in part is { IsAbsent: false } map ? map.EnumerateObject() : [])
        {
            if (int.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            {
                tokens[number] = ReadContent(token);
            }
        }

        return tokens;
    }

    static IEnumerable<string> FindRoleConflicts(JsonPart? config, JsonPart? map) =>
        from role in Roles
        let here = ReadContent(config, role)
        let there = ReadContent(map, role)
        where here is not null && there is not null && here != there
        select $"{role}: tokenizer_config.json {here}, special_tokens_map.json {there}; the former counts";

    static IEnumerable<string> FindTemplateConflicts(JsonPart? config, string? template)
    {
        var isOther =
            config?["chat_template"] is { IsString: true } written && written.GetString().Trim() != template?.Trim();
        return isOther
            ? ["chat template: that of tokenizer_config.json differs from the file of its own, which counts"]
            : [];
    }

    static bool? ReadSwitch(JsonPart? config, string key, Dictionary<string, string> tokens, string role)
    {
        if (config?[key] is not { IsAbsent: false } part)
        {
            return null;
        }

        var isOn = part.GetBoolean(false);
        return isOn && !tokens.ContainsKey(role) ? throw part.Error($"is true, but no {role} is named") : isOn;
    }

    static IReadOnlyList<string> ReadAdditional(JsonPart? tokens) =>
        tokens is { IsArray: true } list ? [.. list.EnumerateArray().Select(ReadContent)] : [];

    static JsonPart? ReadIfPresent(string file) => File.Exists(file) ? JsonPart.Read(file) : null;

    static string? ReadContent(JsonPart? file, string role) =>
        file?[role] is { IsAbsent: false } part ? ReadContent(part) : null;

    /// <summary>A token stands as text, or as an object with its content.</summary>
    static string ReadContent(JsonPart part) => part.IsString ? part.GetString() : part["content"].GetString();

    static string? ReadChatTemplate(string folder, JsonPart? config)
    {
        var jinja = Path.Combine(folder, "chat_template.jinja");
        if (File.Exists(jinja))
        {
            return ReadTemplateFile(jinja);
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

    static string ReadTemplateFile(string file)
    {
        try
        {
            return TextEncoding.ReadAllText(file);
        }
        catch (InvalidDataException error)
        {
            throw new TokenizerException(file, "", error.Message, error);
        }
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
