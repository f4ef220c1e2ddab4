using System.Text.Json.Nodes;
using CoPe.Chat;
using CoPe.Decoding;
using CoPe.Modeling;
using CoPe.Testing;
using CoPe.Tests.Tokens;
using CoPe.Tokens.Pipeline;
using static TorchSharp.torch;

namespace CoPe.Tests.Decoding;

[Collection("torch")]
public class ModelFileConflictsTests
{
    const int Rows = 800; // more than the tokenizer has tokens

    [Fact]
    public void Files_that_agree_give_no_word()
    {
        using var folder = CreateModel();

        Assert.Empty(Find(folder));
    }

    [Theory]
    [InlineData("eos_token_id", "{eos}")]
    [InlineData("eos_token_id", "[{eos}, 7]")]
    [InlineData("pad_token_id", "-1")]
    [InlineData("pad_token_id", "null")]
    [InlineData("max_position_embeddings", "64")] // the tokenizer allows more
    public void What_real_models_have_and_does_no_harm_gives_no_word(string key, string value)
    {
        using var folder = CreateModel();
        Set(folder, "config.json", key, value.Replace("{eos}", $"{EosId(folder)}", StringComparison.Ordinal));

        Assert.Empty(Find(folder));
    }

    [Theory]
    [InlineData("config.json", "eos_token_id", "7", "eos: config.json 7, generation_config.json {eos}")]
    [InlineData("generation_config.json", "eos_token_id", "[7, 8]", "generation_config.json 7 and 8, tokenizer")]
    [InlineData("config.json", "bos_token_id", "7", "bos: config.json 7, generation_config.json 5")]
    [InlineData("generation_config.json", "pad_token_id", "9", "pad: config.json 3, generation_config.json 9; no")]
    [InlineData("tokenizer_config.json", "model_max_length", "64", "context: config.json 512, tokenizer_config.json")]
    [InlineData("tokenizer_config.json", "added_tokens_decoder", "{\"4\": {\"content\": \"<x>\"}}", "<x> as id 4")]
    [InlineData("tokenizer.json", "truncation", "{\"max_length\": 128}", "tokenizer.json truncation 128; prompt")]
    [InlineData("config.json", "torch_dtype", "\"bfloat16\"", "tensors in float32; they are read as bfloat16")]
    [InlineData("config.json", "eos_token_id", "[{eos}, 800]", "eos: config.json 800, but config.json has 800 rows")]
    [InlineData("generation_config.json", "eos_token_id", "[{eos}, 9999]", "generation_config.json 9999, but config")]
    [InlineData(
        "config.json",
        "rope_parameters",
        "{\"rope_theta\": 5000}",
        "rope_theta: config.json rope_parameters.rope_theta 5000, rope_theta 10000; used is 5000"
    )]
    [InlineData("config.json", "dtype", "\"float16\"", "dtype: config.json names float16 and float32; the weights")]
    public void Where_two_files_disagree_both_and_the_consequence_are_named(
        string file,
        string key,
        string value,
        string expected
    )
    {
        using var folder = CreateModel();
        Set(folder, file, key, value.Replace("{eos}", $"{EosId(folder)}", StringComparison.Ordinal));

        var named = string.Join('\n', Find(folder));

        Assert.Contains(
            expected.Replace("{eos}", $"{EosId(folder)}", StringComparison.Ordinal),
            named,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Roles_and_templates_that_stand_in_two_files_are_compared()
    {
        using var folder = CreateModel();
        File.WriteAllText(Path.Combine(folder.Folder, "special_tokens_map.json"), """{"eos_token": "<|endoftext|>"}""");
        File.WriteAllText(Path.Combine(folder.Folder, "chat_template.jinja"), "{{ messages[0].content }}");
        Set(folder, "tokenizer_config.json", "chat_template", "\"{{ messages }}\"");

        Assert.Equal(
            [
                "eos_token: tokenizer_config.json <|im_end|>, special_tokens_map.json <|endoftext|>; the former counts",
                "chat template: that of tokenizer_config.json differs from that of chat_template.jinja, which counts",
            ],
            Find(folder)
        );
    }

    /// <summary>As in transformers, whose tokenizers do not read chat_template.json at all.</summary>
    [Fact]
    public void A_template_of_three_counts_in_the_order_of_transformers_and_the_others_are_named()
    {
        using var folder = CreateModel();
        Set(folder, "tokenizer_config.json", "chat_template", """[{"name": "default", "template": "of the config"}]""");
        File.WriteAllText(Path.Combine(folder.Folder, "chat_template.json"), """{"chat_template": "of the json"}""");

        Assert.Equal("of the config", LoadConfig(folder).ChatTemplate);
        Assert.Equal(
            ["chat template: that of chat_template.json differs from that of tokenizer_config.json, which counts"],
            LoadConfig(folder).Conflicts
        );

        File.WriteAllText(Path.Combine(folder.Folder, "chat_template.jinja"), "of the jinja");

        Assert.Equal("of the jinja", LoadConfig(folder).ChatTemplate);
        Assert.Equal(
            [
                "chat template: that of tokenizer_config.json differs from that of chat_template.jinja, which counts",
                "chat template: that of chat_template.json differs from that of chat_template.jinja, which counts",
            ],
            LoadConfig(folder).Conflicts
        );
    }

    [Fact]
    public void A_template_that_stands_in_the_file_of_its_own_alone_is_read()
    {
        using var folder = CreateModel();
        File.WriteAllText(Path.Combine(folder.Folder, "chat_template.json"), """{"chat_template": "of the json"}""");

        Assert.Equal("of the json", LoadConfig(folder).ChatTemplate);
        Assert.Empty(LoadConfig(folder).Conflicts);
    }

    [Fact]
    public void Further_special_tokens_are_those_of_the_map_where_the_configuration_has_none()
    {
        using var folder = CreateModel();
        var word = ConversationEncoder.Load(folder.Folder).Tokenizer.IdToToken(300)!;
        File.WriteAllText(
            Path.Combine(folder.Folder, "special_tokens_map.json"),
            new JsonObject { ["additional_special_tokens"] = new JsonArray(word) }.ToJsonString()
        );

        Assert.Equal([word], LoadConfig(folder).AdditionalSpecialTokens);
        Assert.True(ConversationEncoder.Load(folder.Folder).Tokenizer.IsSpecial(300));
        Assert.Empty(Find(folder));

        Set(folder, "tokenizer_config.json", "additional_special_tokens", "[]");

        Assert.False(ConversationEncoder.Load(folder.Folder).Tokenizer.IsSpecial(300));
        Assert.Equal(
            [
                $"additional_special_tokens: special_tokens_map.json has {word}, tokenizer_config.json does not; "
                    + "the latter counts",
            ],
            Find(folder)
        );
    }

    [Fact]
    public void Added_tokens_that_are_special_in_one_file_alone_are_named()
    {
        using var folder = CreateModel();
        var tokenizer = ConversationEncoder.Load(folder.Folder).Tokenizer;
        var eos = tokenizer.EosId!.Value;
        Set(
            folder,
            "tokenizer_config.json",
            "added_tokens_decoder",
            new JsonObject
            {
                [$"{eos}"] = new JsonObject { ["content"] = "<|im_end|>", ["special"] = false },
            }.ToJsonString()
        );

        Assert.Equal(
            [
                "added tokens: <|im_end|> is not special in tokenizer_config.json, but is in tokenizer.json, "
                    + "which counts",
            ],
            Find(folder)
        );
    }

    /// <summary>As in transformers 4, which sets a ByteLevel step that stands alone anew, and no other.</summary>
    [Theory]
    [InlineData("""{"type": "ByteLevel", "add_prefix_space": false}""", true, true, "the former")]
    [InlineData("""{"type": "ByteLevel", "add_prefix_space": true}""", false, false, "the former")]
    [InlineData("""{"type": "ByteLevel", "add_prefix_space": true}""", null, true, null)]
    [InlineData("""{"type": "ByteLevel", "add_prefix_space": true}""", true, true, null)]
    [InlineData(
        """{"type": "Sequence", "pretokenizers": [{"type": "ByteLevel", "add_prefix_space": false}]}""",
        true,
        false,
        "the latter"
    )]
    public void A_space_before_a_text_is_put_as_the_configuration_says(
        string preTokenizer,
        bool? configured,
        bool isPut,
        string? counts
    )
    {
        using var folder = CreateModel();
        Set(folder, "tokenizer.json", "pre_tokenizer", preTokenizer);
        Set(
            folder,
            "tokenizer_config.json",
            "add_prefix_space",
            JsonValue.Create(configured)?.ToJsonString() ?? "null"
        );

        var tokenizer = ConversationEncoder.Load(folder.Folder).Tokenizer;

        Assert.Equal(isPut ? " rain" : "rain", tokenizer.Decode(tokenizer.Encode("rain", addSpecialTokens: false)));
        var conflict = Find(folder).SingleOrDefault();
        Assert.Equal(counts is null, conflict is null);
        if (counts is not null)
        {
            Assert.StartsWith("add_prefix_space: tokenizer_config.json", conflict, StringComparison.Ordinal);
            Assert.EndsWith($"{counts} counts", conflict, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Tokens_beyond_the_embedding_are_named_and_refused()
    {
        using var folder = CreateModel(vocabSize: 100);
        var encoder = ConversationEncoder.Load(folder.Folder);
        var config = DecoderConfig.Read(folder.Folder);

        var conflict = Assert.Single(Find(folder), line => line.StartsWith("vocabulary", StringComparison.Ordinal));
        Assert.Contains("config.json has 100 rows, tokenizer.json", conflict, StringComparison.Ordinal);
        Assert.Contains("with id 100", conflict, StringComparison.Ordinal);
        var refused = Assert.Throws<TokenizerException>(() => TokenizerFit.Check(folder.Folder, encoder, config));
        Assert.Contains("does not belong to the model", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true, true)] // a special token that no template writes, as of an image
    [InlineData(false, false)] // one that any text may hold
    public void A_token_behind_the_last_row_counts_where_a_text_or_a_prompt_can_have_it(bool isSpecial, bool fits)
    {
        using var folder = CreateModel(vocabSize: 0);
        var encoder = ConversationEncoder.Load(folder.Folder);
        var count = encoder.Tokenizer.VocabularySize;
        Set(folder, "config.json", "vocab_size", $"{count}");
        AddToken(folder, count, "<image>", isSpecial);

        encoder = ConversationEncoder.Load(folder.Folder);

        Assert.Equal(fits, TokenizerFit.Describe(encoder, DecoderConfig.Read(folder.Folder)) is null);
    }

    [Fact]
    public void A_template_that_writes_a_token_without_a_row_does_not_fit()
    {
        using var folder = CreateModel(vocabSize: 0);
        var count = ConversationEncoder.Load(folder.Folder).Tokenizer.VocabularySize;
        Set(folder, "config.json", "vocab_size", $"{count}");
        AddToken(folder, count, "<|turn|>", isSpecial: true);
        Set(folder, "tokenizer_config.json", "chat_template", "\"<|turn|>{{ messages[0].content }}\"");

        var encoder = ConversationEncoder.Load(folder.Folder);

        Assert.EndsWith(
            $"the first <|turn|> with id {count}",
            TokenizerFit.Describe(encoder, DecoderConfig.Read(folder.Folder)),
            StringComparison.Ordinal
        );
    }

    /// <summary>What the configurations beside these tokenizers say of the same facts.</summary>
    [Theory]
    [InlineData("mistral", """{"vocab_size": 32768, "bos_token_id": 1, "eos_token_id": 2}""", 32768)]
    [InlineData("qwen", """{"vocab_size": 151936, "bos_token_id": 151643, "eos_token_id": 151645}""", 32768)]
    public void A_real_tokenizer_beside_its_model_s_configuration_gives_no_word(string name, string ids, int context)
    {
        if (TokenizerFolders.Roots().Select(root => Path.Combine(root, name)).LastOrDefault(HasConfig) is not { } real)
        {
            Assert.Skip("COPE_TOKENIZERS names no folder with real tokenizers");
            return;
        }

        using var folder = new TemporaryFolder();
        foreach (var file in Directory.EnumerateFiles(real))
        {
            File.Copy(file, folder.At(Path.GetFileName(file)));
        }

        var config = CreateConfig(0, null);
        config["max_position_embeddings"] = context;
        foreach (var (key, value) in JsonNode.Parse(ids)!.AsObject())
        {
            config[key] = value!.DeepClone();
        }

        folder.Write("config.json", config.ToJsonString());

        Assert.Empty(ModelFileConflicts.Find(folder.Path, ConversationEncoder.Load(folder.Path)));
    }

    static bool HasConfig(string folder) => File.Exists(Path.Combine(folder, "tokenizer_config.json"));

    static IReadOnlyList<string> Find(TokenizerTestFolder folder) =>
        ModelFileConflicts.Find(folder.Folder, ConversationEncoder.Load(folder.Folder));

    static TokenizerConfig LoadConfig(TokenizerTestFolder folder) => TokenizerConfig.Read(folder.Folder);

    static int EosId(TokenizerTestFolder folder) => ConversationEncoder.Load(folder.Folder).Tokenizer.EosId!.Value;

    /// <summary>A model without weights unless the vocabulary is the usual one.</summary>
    static TokenizerTestFolder CreateModel(int vocabSize = Rows)
    {
        var folder = new TokenizerTestFolder("qwen", new { eos_token = "<|im_end|>", model_max_length = 131072 });
        var eos = EosId(folder);
        if (vocabSize == Rows)
        {
            using var model = TinyModels.Random(TinyModels.Plain with { VocabSize = Rows, MaxPositions = 512 });
            ModelFolder.Save(folder.Folder, model.Config, model.Weights, ScalarType.Float32);
        }
        else
        {
            Write(folder, "config.json", CreateConfig(vocabSize, eos));
        }

        Set(folder, "config.json", "eos_token_id", $"{eos}");
        Set(folder, "config.json", "pad_token_id", "3");
        Set(folder, "config.json", "bos_token_id", "5");
        Write(
            folder,
            "generation_config.json",
            new JsonObject
            {
                ["eos_token_id"] = eos,
                ["pad_token_id"] = 3,
                ["bos_token_id"] = 5,
            }
        );
        return folder;
    }

    static JsonObject CreateConfig(int vocabSize, int? eos) =>
        new()
        {
            ["model_type"] = "llama",
            ["vocab_size"] = vocabSize == 0 ? 1 << 20 : vocabSize,
            ["hidden_size"] = 16,
            ["intermediate_size"] = 32,
            ["num_hidden_layers"] = 1,
            ["num_attention_heads"] = 2,
            ["max_position_embeddings"] = 512,
            ["eos_token_id"] = eos,
        };

    static void AddToken(TokenizerTestFolder folder, int id, string content, bool isSpecial)
    {
        var file = Path.Combine(folder.Folder, "tokenizer.json");
        var json = JsonNode.Parse(File.ReadAllText(file))!.AsObject();
        json["added_tokens"]!
            .AsArray()
            .Add(
                new JsonObject
                {
                    ["id"] = id,
                    ["content"] = content,
                    ["special"] = isSpecial,
                }
            );
        File.WriteAllText(file, json.ToJsonString());
    }

    static void Set(TokenizerTestFolder folder, string file, string key, string value)
    {
        var json = JsonNode.Parse(File.ReadAllText(Path.Combine(folder.Folder, file)))!.AsObject();
        json[key] = JsonNode.Parse(value);
        Write(folder, file, json);
    }

    static void Write(TokenizerTestFolder folder, string file, JsonObject json) =>
        File.WriteAllText(Path.Combine(folder.Folder, file), json.ToJsonString());
}
