using System.Text.Encodings.Web;
using System.Text.Json;
using CoPe.Gguf;
using CoPe.Json;

namespace CoPe.Tokens.Pipeline;

/// <summary>
/// The tokenizer of a GGUF file as the <c>tokenizer.json</c> and <c>tokenizer_config.json</c> that Hugging Face's
/// tokenizer of the same model has.
/// </summary>
static class GgufTokenizer
{
    public const string Prefix = "tokenizer.ggml.";
    public const string TokenizerFileName = "tokenizer.json";
    public const string ConfigFileName = "tokenizer_config.json";

    static readonly JsonWriterOptions Relaxed = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        SkipValidation = false,
    };

    static readonly (string Key, string Role)[] Roles =
    [
        ("bos_token_id", "bos_token"),
        ("eos_token_id", "eos_token"),
        ("padding_token_id", "pad_token"),
        ("unknown_token_id", "unk_token"),
    ];

    /// <summary>Both documents by their names.</summary>
    /// <exception cref="TokenizerException">The file is damaged, or its tokenizer is none that is read.</exception>
    public static IReadOnlyList<(string Name, byte[] Content)> ReadDocuments(string path)
    {
        try
        {
            if (!File.Exists(path))
            {
                throw new TokenizerException(path, "", "is missing");
            }

            var file = GgufFile.Open(path);
            var vocabulary = GgufVocabulary.Read(file);
            return
            [
                (TokenizerFileName, Write(json => WriteTokenizer(json, file, vocabulary))),
                (ConfigFileName, Write(json => WriteConfig(json, file, vocabulary))),
            ];
        }
        catch (GgufException error)
        {
            throw new TokenizerException(path, error.Part, error.Problem, error);
        }
    }

    /// <summary>Both documents, parsed, with errors that name the file.</summary>
    /// <exception cref="TokenizerException">The file is damaged, or its tokenizer is none that is read.</exception>
    public static (JsonPart Tokenizer, JsonPart Config) Read(string path)
    {
        var documents = ReadDocuments(path);
        return (Parse(path, documents[0].Content), Parse(path, documents[1].Content));
    }

    static JsonPart Parse(string path, byte[] content)
    {
        try
        {
            return new JsonPart(path, "", StrictJson.Parse(content));
        }
        catch (InvalidJsonException error)
        {
            throw new TokenizerException(path, Prefix + "tokens", error.Message, error);
        }
    }

    static byte[] Write(Action<Utf8JsonWriter> write)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, Relaxed))
        {
            write(json);
        }

        return stream.ToArray();
    }

    static void WriteTokenizer(Utf8JsonWriter json, GgufFile file, GgufVocabulary vocabulary)
    {
        var pipeline = vocabulary.IsByteLevel
            ? GgufPipeline.FindByteLevel(file)
            : GgufPipeline.CreateForPieces(vocabulary, file.GetBoolean(Prefix + "add_space_prefix") ?? true);
        json.WriteStartObject();
        json.WriteString("version", "1.0");
        WriteAddedTokens(json, vocabulary);
        WriteRaw(json, "normalizer", pipeline.Normalizer);
        WriteRaw(json, "pre_tokenizer", pipeline.PreTokenizer);
        json.WriteNull("post_processor");
        WriteRaw(json, "decoder", pipeline.Decoder);
        WriteModel(json, file, vocabulary, pipeline.IgnoresMerges);
        json.WriteEndObject();
    }

    static void WriteRaw(Utf8JsonWriter json, string name, string? value)
    {
        json.WritePropertyName(name);
        json.WriteRawValue(value ?? "null");
    }

    static void WriteAddedTokens(Utf8JsonWriter json, GgufVocabulary vocabulary)
    {
        json.WriteStartArray("added_tokens");
        foreach (var token in vocabulary.Tokens.Where(token => token.IsAdded))
        {
            json.WriteStartObject();
            json.WriteNumber("id", token.Id);
            json.WriteString("content", token.Text);
            json.WriteBoolean("single_word", false);
            json.WriteBoolean("lstrip", false);
            json.WriteBoolean("rstrip", false);
            json.WriteBoolean("normalized", false);
            json.WriteBoolean("special", token.IsSpecial);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    static void WriteModel(Utf8JsonWriter json, GgufFile file, GgufVocabulary vocabulary, bool ignoresMerges)
    {
        var hasPieces = !vocabulary.IsByteLevel;
        json.WriteStartObject("model");
        json.WriteString("type", "BPE");
        if (hasPieces && vocabulary.FindUnknown(file) is { } unknown)
        {
            json.WriteString("unk_token", unknown);
        }

        json.WriteBoolean("fuse_unk", hasPieces);
        json.WriteBoolean("byte_fallback", hasPieces && vocabulary.HasBytes);
        json.WriteBoolean("ignore_merges", ignoresMerges);
        json.WriteStartObject("vocab");
        foreach (var token in vocabulary.Tokens.Where(token => hasPieces || !token.IsAdded))
        {
            json.WriteNumber(token.Text, token.Id);
        }

        json.WriteEndObject();
        json.WriteStartArray("merges");
        foreach (var (left, right) in hasPieces ? PieceMerges.Create(vocabulary) : ReadMerges(file))
        {
            json.WriteStartArray();
            json.WriteStringValue(left);
            json.WriteStringValue(right);
            json.WriteEndArray();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    static IEnumerable<(string Left, string Right)> ReadMerges(GgufFile file)
    {
        const string Key = Prefix + "merges";
        var merges = file.GetStrings(Key) ?? throw new GgufException(Key, "is missing; this tokenizer needs it");
        foreach (var merge in merges)
        {
            var space = merge.Length == 0 ? -1 : merge.IndexOf(' ', 1);
            yield return space > 0
                ? (merge[..space], merge[(space + 1)..])
                : throw new GgufException(Key, $"holds \"{MessageText.Shorten(merge, 40)}\"; two tokens were expected");
        }
    }

    static void WriteConfig(Utf8JsonWriter json, GgufFile file, GgufVocabulary vocabulary)
    {
        json.WriteStartObject();
        var hasBos = false;
        foreach (var (key, role) in Roles)
        {
            if (file.GetInteger(Prefix + key) is { } id && vocabulary.Find(id, Prefix + key) is { } text)
            {
                hasBos |= role == "bos_token";
                json.WriteString(role, text);
            }
        }

        // A file that does not say has llama.cpp's default.
        var addsBos = !vocabulary.IsByteLevel || GgufPipeline.FindByteLevel(file).AddsBos;
        json.WriteBoolean("add_bos_token", file.GetBoolean(Prefix + "add_bos_token") ?? (hasBos && addsBos));
        json.WriteBoolean("add_eos_token", file.GetBoolean(Prefix + "add_eos_token") ?? false);
        json.WriteBoolean("clean_up_tokenization_spaces", false);
        if (file.GetString("tokenizer.chat_template") is { } template)
        {
            json.WriteString("chat_template", template);
        }

        json.WriteEndObject();
    }
}

/// <summary>How a text is normalized and cut into words, and how tokens become text again.</summary>
/// <param name="Normalizer">Part of a tokenizer.json; null: none.</param>
/// <param name="PreTokenizer">The same.</param>
/// <param name="Decoder">The same.</param>
/// <param name="IgnoresMerges">A word that is a token as a whole is taken as such.</param>
/// <param name="AddsBos">Whether a text begins with BOS where the file does not say.</param>
sealed record GgufPipeline(
    string? Normalizer,
    string? PreTokenizer,
    string Decoder,
    bool IgnoresMerges = false,
    bool AddsBos = false
)
{
    const string PreKey = GgufTokenizer.Prefix + "pre";
    const string Bytes = """{"type": "ByteLevel", "add_prefix_space": false, "use_regex": false}""";
    const string Gpt2 = """{"type": "ByteLevel", "add_prefix_space": false, "use_regex": true}""";
    const string ToMarks = """{"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"}""";

    /// <summary>Mistral's pattern since Nemo: words by upper and lower case.</summary>
    const string Tekken =
        @"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
        + @"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
        + @"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    const string Digits = """{"type": "Digits", "individual_digits": true}""";

    /// <summary>By the names that llama.cpp's converter gives.</summary>
    static readonly Dictionary<string, GgufPipeline> ByPreTokenizer = new(StringComparer.Ordinal)
    {
        ["llama-bpe"] = new(null, SplitBy(WordPattern.ThreeDigits), Bytes, IgnoresMerges: true, AddsBos: true),
        ["qwen2"] = new("""{"type": "NFC"}""", SplitBy(WordPattern.SingleDigits), Bytes),
        ["tekken"] = new(null, SplitBy(Tekken), Bytes, IgnoresMerges: true, AddsBos: true),
        ["smollm"] = new(null, Sequence(Digits, Gpt2), Bytes),
        ["gpt-2"] = new(null, Gpt2, Bytes),
    };

    static readonly Dictionary<string, string> OtherNames = new(StringComparer.Ordinal)
    {
        ["llama3"] = "llama-bpe",
        ["llama-v3"] = "llama-bpe",
        ["deepseek-r1-qwen"] = "qwen2",
    };

    /// <summary>Name and pipeline of those that are known.</summary>
    public static IReadOnlyDictionary<string, GgufPipeline> Known => ByPreTokenizer;

    /// <summary>The pipeline that a file of byte-level tokens names.</summary>
    /// <exception cref="GgufException">It names none, or one that is not known.</exception>
    public static GgufPipeline FindByteLevel(GgufFile file)
    {
        var name = file.GetString(PreKey);
        return ByPreTokenizer.GetValueOrDefault(OtherNames.GetValueOrDefault(name ?? "", name ?? ""))
            ?? throw new GgufException(
                PreKey,
                $"is {name ?? "missing"}; supported: {string.Join(", ", ByPreTokenizer.Keys.Concat(OtherNames.Keys))}"
                    + (name is null ? ". A file without it was made by an old converter: convert the model again." : "")
            );
    }

    /// <summary>
    /// That of SentencePiece's tokens. A space before the text is put there at its beginning alone by tokenizers that
    /// have [INST] as a token (Mistral's from v2 on), else also behind every special token, as in Hugging Face's.
    /// </summary>
    public static GgufPipeline CreateForPieces(GgufVocabulary vocabulary, bool addsSpace)
    {
        const string FromMarks = """{"type": "Replace", "pattern": {"String": "\u2581"}, "content": " "}""";
        const string FallBack = """{"type": "ByteFallback"}""";
        const string Fuse = """{"type": "Fuse"}""";
        const string Strip = """{"type": "Strip", "content": " ", "start": 1, "stop": 0}""";
        const string Prepend = """{"type": "Prepend", "prepend": "\u2581"}""";
        const string AtStart = """
            {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "first", "split": false}
            """;
        string[] steps = addsSpace ? [FromMarks, FallBack, Fuse, Strip] : [FromMarks, FallBack, Fuse];
        var decoder = $$"""{"type": "Sequence", "decoders": [{{string.Join(", ", steps)}}]}""";
        if (!addsSpace)
        {
            return new(ToMarks, null, decoder, AddsBos: true);
        }

        return vocabulary.Tokens.Any(token => token is { IsSpecial: true, Text: "[INST]" })
            ? new(null, AtStart, decoder, AddsBos: true)
            : new(
                $$"""{"type": "Sequence", "normalizers": [{{Prepend}}, {{ToMarks}}]}""",
                null,
                decoder,
                AddsBos: true
            );
    }

    static string SplitBy(string pattern) =>
        Sequence(
            $$"""
            {"type": "Split", "pattern": {"Regex": {{JsonSerializer.Serialize(pattern)}}}, "behavior": "Isolated",
             "invert": false}
            """,
            Bytes
        );

    static string Sequence(params string[] steps) =>
        $$"""{"type": "Sequence", "pretokenizers": [{{string.Join(", ", steps)}}]}""";
}
