using System.Globalization;
using System.Text.Json;

namespace CoPe.Tokens.Pipeline;

/// <summary>
/// Special tokens and chat template from <c>tokenizer_config.json</c>, and from <c>special_tokens_map.json</c> what
/// that leaves out.
/// </summary>
sealed record TokenizerConfig
{
    const string AdditionalKey = "additional_special_tokens";

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

    /// <summary>The added tokens as this file has them beside <c>tokenizer.json</c>.</summary>
    public IReadOnlyList<DeclaredToken> AddedTokensDecoder { get; init; } = [];

    /// <summary>Where the files that this was read from disagree, each in a line.</summary>
    public IReadOnlyList<string> Conflicts { get; init; } = [];

    /// <summary>Whether a text begins with BOS; null leaves that to the post-processor.</summary>
    public bool? AddBos { get; init; }

    /// <summary>Whether a text ends with EOS; null leaves that to the post-processor.</summary>
    public bool? AddEos { get; init; }

    /// <summary>Whether a space is put before a text; null leaves that to <c>tokenizer.json</c>.</summary>
    public bool? AddPrefixSpace { get; init; }

    public static TokenizerConfig Read(string folder)
    {
        var config = ReadIfPresent(Path.Combine(folder, "tokenizer_config.json"));
        var map = ReadIfPresent(Path.Combine(folder, "special_tokens_map.json"));
        return Read(config, map, ChatTemplateFiles.Read(folder, config));
    }

    /// <summary>The same of a tokenizer_config.json alone.</summary>
    public static TokenizerConfig Read(JsonPart config) =>
        Read(config, null, new(config["chat_template"].GetStringOrNull(), []));

    static TokenizerConfig Read(JsonPart? config, JsonPart? map, ChatTemplateFiles templates)
    {
        var tokens = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var role in Roles)
        {
            var content = ReadContent(config, role) ?? ReadContent(map, role);
            if (content is not null)
            {
                tokens[role] = content;
            }
        }

        return new TokenizerConfig
        {
            SpecialTokens = tokens,
            AdditionalSpecialTokens = ReadAdditional(config) ?? ReadAdditional(map) ?? [],
            ChatTemplate = templates.Used,
            ModelMaxLength = ReadNumber(config?["model_max_length"]),
            AddedTokensDecoder = ReadAddedTokens(config?["added_tokens_decoder"]),
            Conflicts =
            [
                .. FindRoleConflicts(config, map),
                .. FindAdditionalConflicts(config, map),
                .. templates.Conflicts,
            ],
            CleanUpSpaces = config?["clean_up_tokenization_spaces"].GetBoolean(false) ?? false,
            AddBos = ReadSwitch(config, "add_bos_token", tokens, "bos_token"),
            AddEos = ReadSwitch(config, "add_eos_token", tokens, "eos_token"),
            AddPrefixSpace = config?["add_prefix_space"] is { IsAbsent: false } part ? part.GetBoolean(false) : null,
        };
    }

    static double? ReadNumber(JsonPart? part) =>
        part is { Element.ValueKind: JsonValueKind.Number } number && number.Element.TryGetDouble(out var value)
            ? value
            : null;

    static List<DeclaredToken> ReadAddedTokens(JsonPart? part)
    {
        var tokens = new List<DeclaredToken>();
        foreach (var (id, token) in part is { IsAbsent: false } map ? map.EnumerateObject() : [])
        {
            if (int.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            {
                tokens.Add(new(number, ReadContent(token), token.IsString ? null : ReadSpecial(token)));
            }
        }

        return [.. tokens.OrderBy(token => token.Id)];
    }

    static bool? ReadSpecial(JsonPart token) =>
        token["special"] is { IsAbsent: false } part ? part.GetBoolean(false) : null;

    static IEnumerable<string> FindRoleConflicts(JsonPart? config, JsonPart? map) =>
        from role in Roles
        let here = ReadContent(config, role)
        let there = ReadContent(map, role)
        where here is not null && there is not null && here != there
        select $"{role}: tokenizer_config.json {here}, special_tokens_map.json {there}; the former counts";

    static IEnumerable<string> FindAdditionalConflicts(JsonPart? config, JsonPart? map)
    {
        if (ReadAdditional(config) is not { } here || ReadAdditional(map) is not { } there)
        {
            return [];
        }

        var others = there.Except(here).ToList();
        return others.Count == 0
            ? []
            :
            [
                $"{AdditionalKey}: special_tokens_map.json has {others[0]}{CountMore(others.Count)}, "
                    + "tokenizer_config.json does not; the latter counts",
            ];
    }

    static string CountMore(int count) => count == 1 ? "" : $" and {count - 1} more";

    static bool? ReadSwitch(JsonPart? config, string key, Dictionary<string, string> tokens, string role)
    {
        if (config?[key] is not { IsAbsent: false } part)
        {
            return null;
        }

        var isOn = part.GetBoolean(false);
        return isOn && !tokens.ContainsKey(role) ? throw part.Error($"is true, but no {role} is named") : isOn;
    }

    /// <summary>Null where the file does not say.</summary>
    static IReadOnlyList<string>? ReadAdditional(JsonPart? file) =>
        file?[AdditionalKey] is { IsArray: true } list ? [.. list.EnumerateArray().Select(ReadContent)] : null;

    static JsonPart? ReadIfPresent(string file) => File.Exists(file) ? JsonPart.Read(file) : null;

    static string? ReadContent(JsonPart? file, string role) =>
        file?[role] is { IsAbsent: false } part ? ReadContent(part) : null;

    /// <summary>A token stands as text, or as an object with its content.</summary>
    static string ReadContent(JsonPart part) => part.IsString ? part.GetString() : part["content"].GetString();
}

/// <summary>A token as <c>added_tokens_decoder</c> has it.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Content">Its text.</param>
/// <param name="Special">Whether it is special; null where that is not said.</param>
readonly record struct DeclaredToken(int Id, string Content, bool? Special);
