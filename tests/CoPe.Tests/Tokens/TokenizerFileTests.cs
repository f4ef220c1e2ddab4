using System.Text.Json.Nodes;
using CoPe.Tokens;
using CoPe.Tokens.Pipeline;

namespace CoPe.Tests.Tokens;

/// <summary>
/// Broken and unknown tokenizer files: an error that names file and part, never a crash or other ids.
/// </summary>
public class TokenizerFileTests
{
    [Theory]
    [InlineData("qwen", "normalizer", """{"type":"Precompiled"}""", "normalizer")]
    [InlineData("qwen", "pre_tokenizer", """{"type":"BertPreTokenizer"}""", "pre_tokenizer")]
    [InlineData(
        "qwen",
        "pre_tokenizer",
        """{"type":"Sequence","pretokenizers":[{"type":"ByteLevel"},{"type":"Digits"}]}""",
        "pre_tokenizer.pretokenizers[1]"
    )]
    [InlineData(
        "qwen",
        "pre_tokenizer",
        """{"type":"Split","pattern":{"Regex":"[a-z&&[^b]]"},"behavior":"Isolated"}""",
        "pre_tokenizer.pattern.Regex"
    )]
    [InlineData(
        "qwen",
        "pre_tokenizer",
        """{"type":"Split","pattern":{"Regex":"(("},"behavior":"Isolated"}""",
        "pre_tokenizer.pattern.Regex"
    )]
    [InlineData(
        "qwen",
        "pre_tokenizer",
        """{"type":"Split","pattern":{"Regex":"a"},"behavior":"Sideways"}""",
        "pre_tokenizer.behavior"
    )]
    [InlineData(
        "mistral",
        "pre_tokenizer",
        """{"type":"Metaspace","replacement":"__","prepend_scheme":"first"}""",
        "pre_tokenizer.replacement"
    )]
    [InlineData("mistral", "decoder", """{"type":"WordPiece"}""", "decoder")]
    [InlineData("mistral", "post_processor", """{"type":"BertProcessing"}""", "post_processor")]
    [InlineData(
        "mistral",
        "post_processor",
        """{"type":"TemplateProcessing","single":[],"special_tokens":{}}""",
        "post_processor.single"
    )]
    [InlineData("mistral", "model", """{"type":"Unigram","vocab":[]}""", "model.type")]
    [InlineData("mistral", "model", """{"type":"BPE","vocab":{"a":0,"b":1},"merges":["a b"]}""", "model.merges[0]")]
    [InlineData("mistral", "model", """{"type":"BPE","vocab":{"a":0},"merges":["a"]}""", "model.merges[0]")]
    [InlineData("mistral", "model", """{"type":"BPE","vocab":{"a":2000000000},"merges":[]}""", "model.vocab")]
    [InlineData(
        "mistral",
        "model",
        """{"type":"BPE","vocab":{"a":0},"merges":[],"unk_token":"<unk>"}""",
        "model.unk_token"
    )]
    [InlineData(
        "mistral",
        "model",
        """{"type":"BPE","vocab":{"a":0},"merges":[],"end_of_word_suffix":"</w>"}""",
        "model.end_of_word_suffix"
    )]
    [InlineData("mistral", "model", """{"type":"BPE","vocab":{"a":0},"merges":[],"dropout":0.1}""", "model.dropout")]
    [InlineData("mistral", "added_tokens", """[{"id":-1,"content":"x"}]""", "added_tokens[0]")]
    [InlineData("mistral", "added_tokens", """[{"id":700,"content":"on"}]""", "added_tokens[0]")]
    public void An_unknown_or_impossible_part_is_refused_by_name(string family, string part, string json, string named)
    {
        using var folder = new TokenizerTestFolder(family, change: file => file[part] = JsonNode.Parse(json));
        var error = Assert.Throws<TokenizerException>(() => Tokenizer.Load(folder.Folder));
        Assert.Equal(named, error.Part);
        Assert.Contains("tokenizer.json", error.File, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{\"model\":")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")]
    [InlineData("{\"model\":{\"type\":\"BPE\",\"vocab\":{\"\\ud800\":1},\"merges\":[]}}")]
    public void A_file_that_is_no_tokenizer_is_refused(string content)
    {
        using var folder = new TokenizerTestFolder("qwen");
        File.WriteAllText(Path.Combine(folder.Folder, "tokenizer.json"), content);
        Assert.Throws<TokenizerException>(() => Tokenizer.Load(folder.Folder));
    }

    [Fact]
    public void A_folder_without_tokenizer_json_is_refused() =>
        Assert.Contains(
            "missing",
            Assert.Throws<TokenizerException>(() => Tokenizer.Load(Path.GetTempPath())).Message,
            StringComparison.Ordinal
        );

    [Theory]
    [InlineData("mistral")]
    [InlineData("llama")]
    [InlineData("gemma")]
    [InlineData("qwen")]
    public void Whatever_stands_in_place_of_a_value_is_read_or_refused_but_never_crashes(string family)
    {
        // Three of them at each place, in turn.
        string[] replacements = ["null", "7", "-1", "\"x\"", "[]", "{}", "true", "[[]]"];
        var turn = 0;
        var file = JsonNode
            .Parse(File.ReadAllText(Path.Combine(TokenizerFolders.Tiny(family), "tokenizer.json")))!
            .AsObject();
        foreach (var path in Paths(file).ToList())
        {
            for (var i = 0; i < 3; i++)
            {
                var replacement = replacements[turn++ % replacements.Length];
                var (parent, key) = Find(file, path);
                var original = Get(parent, key)?.DeepClone();
                Set(parent, key, JsonNode.Parse(replacement));
                LoadAndUse(file);
                Set(parent, key, original);
            }
        }
    }

    static void LoadAndUse(JsonObject file)
    {
        using var folder = new TokenizerTestFolder(file);
        try
        {
            var tokenizer = Tokenizer.Load(folder.Folder);
            tokenizer.Decode(tokenizer.Encode("Hello  <s>[INST] 😀 12!\n"));
        }
        catch (TokenizerException) { } // refused by name, which is as good
    }

    // Every place of the file, of long lists and of the vocabulary only the first few.
    static IEnumerable<object[]> Paths(JsonNode? node, params object[] path)
    {
        if (path.Length > 0)
        {
            yield return path;
        }

        var children = node switch
        {
            JsonObject entries => entries
                .Take(entries.Count > 12 ? 2 : 12)
                .Select(entry => ((object)entry.Key, entry.Value)),
            JsonArray items => items.Take(items.Count > 12 ? 1 : 2).Select((item, i) => ((object)i, item)),
            _ => [],
        };
        foreach (var (key, child) in children)
        {
            foreach (var inner in Paths(child, [.. path, key]))
            {
                yield return inner;
            }
        }
    }

    static (JsonNode Parent, object Key) Find(JsonNode node, object[] path) =>
        (path[..^1].Aggregate(node, (now, key) => Get(now, key)!), path[^1]);

    static JsonNode? Get(JsonNode parent, object key) => key is int index ? parent[index] : parent[(string)key];

    static void Set(JsonNode parent, object key, JsonNode? value)
    {
        if (key is int index)
        {
            parent[index] = value;
        }
        else
        {
            parent[(string)key] = value;
        }
    }
}
