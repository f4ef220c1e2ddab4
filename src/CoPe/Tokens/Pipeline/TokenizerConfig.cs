namespace CoPe.Tokens.Pipeline;

/// <summary>What tokenizer_config.json, and special_tokens_map.json where that says nothing, tell about special tokens and the chat template.</summary>
internal sealed record TokenizerConfig
{
    static readonly string[] Names = ["bos_token", "eos_token", "pad_token", "unk_token", "sep_token", "cls_token", "mask_token"];

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
            if ((Content(config, name) ?? Content(map, name)) is { } content) tokens[name] = content;
        return new TokenizerConfig
        {
            SpecialTokens = tokens,
            AdditionalSpecialTokens = config is { } found && found["additional_special_tokens"] is { IsArray: true } more ? [.. more.Items().Select(Content)] : [],
            ChatTemplate = ReadChatTemplate(folder, config),
            CleanUpSpaces = config is { } present && present["clean_up_tokenization_spaces"].Flag(false),
        };
    }

    static JsonPart? ReadIfPresent(string file) => File.Exists(file) ? JsonPart.Read(file) : null;

    static string? Content(JsonPart? file, string name) => file is { } found && found[name] is { IsAbsent: false } part ? Content(part) : null;

    // A token stands as text, or as an object with its content.
    static string Content(JsonPart part) => part.IsText ? part.Text() : part["content"].Text();

    static string? ReadChatTemplate(string folder, JsonPart? config)
    {
        var jinja = Path.Combine(folder, "chat_template.jinja");
        if (File.Exists(jinja)) return File.ReadAllText(jinja);
        if (ReadIfPresent(Path.Combine(folder, "chat_template.json")) is { } own) return own["chat_template"].Text();
        if (config?["chat_template"] is not { IsAbsent: false } template) return null;
        if (template.IsText) return template.Text();
        foreach (var named in template.Items())
            if (named["name"].Text() == "default") return named["template"].Text();
        throw template.Fail("holds several templates, none of them named \"default\"");
    }
}
