using System.Text;
using CoPe.Tokens.Pipeline;

namespace CoPe.Tokens;

/// <summary>A byte-pair tokenizer read from Hugging Face's tokenizer.json. Immutable, safe to share between threads.</summary>
public sealed class Tokenizer
{
    readonly TokenizerFile _file;
    readonly TokenizerConfig _config;
    readonly TokenTable _table;
    readonly TextEncoder _encoder;
    readonly TextEncoder _plainEncoder;

    Tokenizer(TokenizerFile file, TokenizerConfig config)
    {
        (_file, _config) = (file, config);
        var added = SpecialByConfig(file, config);
        var model = new BpeModel(file.Vocabulary, file.PreTokenizer.ByteLevel);
        _table = new TokenTable(file.Vocabulary.Ids, added);
        _encoder = new TextEncoder(file, model, added);
        _plainEncoder = new TextEncoder(file, model, [.. added.Where(token => !token.Special)]);
    }

    /// <summary>Reads <c>tokenizer.json</c> and, where present, <c>tokenizer_config.json</c> and <c>special_tokens_map.json</c> of a folder.</summary>
    /// <exception cref="TokenizerException">A file is missing or broken, or asks for a part that is not supported.</exception>
    public static Tokenizer Load(string folder) =>
        new(TokenizerFile.Read(Path.Combine(folder, "tokenizer.json")), TokenizerConfig.Read(folder));

    /// <summary>Number of ids, added tokens included: the highest id plus one.</summary>
    public int VocabularySize => _table.Count;

    /// <summary>Id that begins a text by the configuration, if it names one.</summary>
    public int? BosId => IdOfRole("bos_token");

    /// <summary>Id that ends a text by the configuration, if it names one.</summary>
    public int? EosId => IdOfRole("eos_token");

    /// <summary>Id for padding by the configuration, if it names one.</summary>
    public int? PadId => IdOfRole("pad_token");

    /// <summary>Text of the special tokens by their role in the configuration, for example <c>eos_token</c>.</summary>
    public IReadOnlyDictionary<string, string> SpecialTokens => _config.SpecialTokens;

    /// <summary>True where the configuration wants English spacing tidied after decoding (<c>clean_up_tokenization_spaces</c>).</summary>
    public bool CleansUpSpaces => _config.CleanUpSpaces;

    /// <summary>Id of a token spelled as in the file, or null.</summary>
    public int? IdOf(string token) => _table.IdOf(token);

    /// <summary>Token of an id spelled as in the file, or null.</summary>
    public string? TokenOf(int id) => _table.TokenOf(id);

    /// <summary>True for the ids that decoding drops by default.</summary>
    public bool IsSpecial(int id) => _table.IsSpecial(id);

    /// <summary>Ids of a text. <paramref name="addSpecialTokens"/> runs the post-processor (BOS); special tokens standing in the text become their ids, as in Hugging Face.</summary>
    public int[] Encode(string text, bool addSpecialTokens = true)
    {
        var ids = _encoder.Encode(text);
        return addSpecialTokens ? WithSpecialTokens(ids) : ids;
    }

    /// <summary>Ids of a text in which special-token text is only text: a user's words cannot break out of their turn. Adds no special tokens.</summary>
    public int[] EncodeAsText(string text) => _plainEncoder.Encode(text);

    /// <summary>Text of ids; ids without a token are skipped.</summary>
    /// <param name="ids">The ids.</param>
    /// <param name="skipSpecialTokens">Leaves special tokens out.</param>
    /// <param name="cleanUpSpaces">Tidies English spacing as transformers does where <see cref="CleansUpSpaces"/>: <c>" ." -> "."</c> and its like.</param>
    public string Decode(IEnumerable<int> ids, bool skipSpecialTokens = true, bool cleanUpSpaces = false)
    {
        var decoder = StartDecoding(skipSpecialTokens);
        var text = new StringBuilder();
        foreach (var id in ids) text.Append(decoder.Add(id));
        text.Append(decoder.Finish());
        return cleanUpSpaces ? EnglishSpacing.CleanUp(text.ToString()) : text.ToString();
    }

    /// <summary>A decoder for ids that arrive one by one.</summary>
    public StreamingDecoder StartDecoding(bool skipSpecialTokens = true) => new(this, _file.Decoder, skipSpecialTokens);

    /// <summary>Ids of a text that goes on after other text, so that no space is put in front of it.</summary>
    internal int[] EncodeContinuation(string text, bool specialText) =>
        (specialText ? _encoder : _plainEncoder).Encode(text, new Dictionary<char, char>(), continuing: true);

    /// <summary>What the post-processor makes of the ids of a text.</summary>
    internal int[] WithSpecialTokens(int[] ids) => [.. _file.SpecialTokens.Before, .. ids, .. _file.SpecialTokens.After];

    internal TokenizerConfig Config => _config;

    internal TextEncoder Encoder => _encoder;

    internal IReadOnlyList<AddedToken> SpecialAddedTokens => [.. SpecialByConfig(_file, _config).Where(token => token.Special)];

    int? IdOfRole(string role) => _config.SpecialTokens.TryGetValue(role, out var token) ? IdOf(token) : null;

    // A token that the configuration names is special even where tokenizer.json does not say so, as in transformers.
    static List<AddedToken> SpecialByConfig(TokenizerFile file, TokenizerConfig config)
    {
        HashSet<string> named = [.. config.SpecialTokens.Values, .. config.AdditionalSpecialTokens];
        var added = file.AddedTokens.Select(token => token with { Special = token.Special || named.Contains(token.Content) }).ToList();
        foreach (var content in named.Except(added.Select(token => token.Content)).Order(StringComparer.Ordinal))
            if (file.Vocabulary.Ids.TryGetValue(content, out var id)) added.Add(new AddedToken { Id = id, Content = content, Special = true });
        return added;
    }
}
