using CoPe.Gguf;
using CoPe.Testing;
using CoPe.Tokens;
using CoPe.Tokens.Pipeline;

namespace CoPe.Tests.Tokens;

public sealed class GgufTokenizerTests : IDisposable
{
    readonly TemporaryFolder _folder = new();

    string FilePath => _folder.At("tokenizer.gguf");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(TokenizerFolders.WithVectors), MemberType = typeof(TokenizerFolders))]
    public void Ids_and_text_equal_those_of_the_tokenizer_that_the_metadata_were_made_of(string folder)
    {
        Write(folder);
        var tokenizer = Tokenizer.Load(FilePath);
        Assert.All(TokenizerVector.Read(folder), vector => vector.Check(tokenizer));
    }

    [Theory]
    [MemberData(nameof(TokenizerFolders.WithVectors), MemberType = typeof(TokenizerFolders))]
    public void Special_tokens_and_template_are_those_of_the_folder(string folder)
    {
        Write(folder);
        var (expected, actual) = (Tokenizer.Load(folder), Tokenizer.Load(FilePath));
        Assert.Equal(expected.EosId, actual.EosId);
        Assert.Equal(expected.PadId, actual.PadId);
        Assert.Equal(expected.Config.ChatTemplate, actual.Config.ChatTemplate);
        Assert.Equal(expected.AddSpecialTokens([]), actual.AddSpecialTokens([]));
        Assert.Equal(
            expected.SpecialAddedTokens.Select(token => (token.Id, token.Content)).Order(),
            actual.SpecialAddedTokens.Select(token => (token.Id, token.Content)).Order()
        );
    }

    [Theory]
    [InlineData("tokenizer.ggml.pre", "dbrx", "tokenizer.ggml.pre")]
    [InlineData("tokenizer.ggml.model", "bert", "tokenizer.ggml.model")]
    public void A_tokenizer_that_is_not_known_is_refused_by_name(string key, string value, string part)
    {
        Write(TokenizerFolders.Tiny("qwen"), metadata => [.. metadata.Select(Replace)]);
        var error = Assert.Throws<TokenizerException>(() => Tokenizer.Load(FilePath));
        Assert.Contains(part, error.Message, StringComparison.Ordinal);
        Assert.Contains(value, error.Message, StringComparison.Ordinal);

        KeyValuePair<string, object> Replace(KeyValuePair<string, object> pair) =>
            pair.Key == key ? new(key, value) : pair;
    }

    [Theory]
    [InlineData("qwen", "tokenizer.ggml.merges")]
    [InlineData("qwen", "tokenizer.ggml.tokens")]
    [InlineData("qwen", "tokenizer.ggml.pre")]
    [InlineData("mistral", "tokenizer.ggml.scores")]
    public void A_missing_key_is_named(string family, string key)
    {
        Write(TokenizerFolders.Tiny(family), metadata => [.. metadata.Where(pair => pair.Key != key)]);
        var error = Assert.Throws<TokenizerException>(() => Tokenizer.Load(FilePath));
        Assert.Contains(key, error.Message, StringComparison.Ordinal);
        Assert.Contains(FilePath, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_a_key_that_says_so_a_text_begins_as_llama_cpp_has_it()
    {
        const string Key = "tokenizer.ggml.add_bos_token";
        Write(TokenizerFolders.Tiny("llama"), metadata => [.. metadata.Where(pair => pair.Key != Key)]);
        Assert.Single(Tokenizer.Load(FilePath).Encode(""));
    }

    [Fact]
    public void A_tokenizer_without_inst_tokens_puts_a_space_behind_special_tokens_too()
    {
        string[] texts = ["<unk>", "<s>", "</s>", "\u2581", "a", "\u2581a"];
        KeyValuePair<string, object>[] metadata =
        [
            new("tokenizer.ggml.model", "llama"),
            new("tokenizer.ggml.tokens", texts),
            new("tokenizer.ggml.token_type", new[] { 2, 3, 3, 1, 1, 1 }),
            new("tokenizer.ggml.scores", new[] { 0f, 0, 0, -2, -3, -1 }),
            new("tokenizer.ggml.bos_token_id", 1u),
            new("tokenizer.ggml.eos_token_id", 2u),
        ];
        GgufWriter.Write(FilePath, metadata, []);
        Assert.Equal([1, 5, 1, 5, 4], Tokenizer.Load(FilePath).Encode("a<s>aa"));
    }

    [Fact]
    public void Tokens_of_pieces_merge_by_their_scores()
    {
        string[] texts = ["<unk>", "a", "b", "c", "ab", "bc", "abc"];
        KeyValuePair<string, object>[] metadata =
        [
            new("tokenizer.ggml.model", "llama"),
            new("tokenizer.ggml.tokens", texts),
            new("tokenizer.ggml.token_type", new[] { 2, 1, 1, 1, 1, 1, 1 }),
            new("tokenizer.ggml.scores", new[] { 0f, -9, -9, -9, -2, -1, -3 }),
        ];
        GgufWriter.Write(FilePath, metadata, []);
        var merges = PieceMerges.Create(GgufVocabulary.Read(GgufFile.Open(FilePath)));
        Assert.Equal([("b", "c"), ("a", "b"), ("a", "bc"), ("ab", "c")], merges);
    }

    void Write(
        string folder,
        Func<IEnumerable<KeyValuePair<string, object>>, KeyValuePair<string, object>[]>? change = null
    )
    {
        var tokenizer = Tokenizer.Load(folder);
        var metadata = GgufTokenizerWriter.Create(folder, tokenizer, tokenizer.VocabularySize, []);
        GgufWriter.Write(FilePath, change is null ? [.. metadata] : change(metadata), []);
    }
}
