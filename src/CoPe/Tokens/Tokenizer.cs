using System.Text;
using CoPe.Gguf;
using CoPe.Tokens.Pipeline;

namespace CoPe.Tokens;

/// <summary>
/// A byte-pair tokenizer read from Hugging Face's <c>tokenizer.json</c>. Immutable, safe to share between threads.
/// </summary>
/// <example>
/// <code>
/// var tokenizer = Tokenizer.Load("models/cope-tiny");
/// var ids = tokenizer.Encode("Rain expected on Friday");
/// output.WriteLine(tokenizer.Decode(ids));
/// </code>
/// </example>
public sealed class Tokenizer
{
    readonly TokenizerFile _file;
    readonly TokenizerConfig _config;
    readonly IReadOnlyList<AddedToken> _addedTokens;
    readonly TokenTable _table;
    readonly TextEncoder _encoder;
    readonly TextEncoder _plainEncoder;
    readonly SpecialTokenTemplate _specialTokens;

    Tokenizer(TokenizerFile file, TokenizerConfig config)
    {
        _file = file;
        _config = config;
        _addedTokens = FindAddedTokens(file, config);
        _table = new TokenTable(file.Vocabulary.Ids, _addedTokens);

        var model = new BpeModel(file.Vocabulary, file.PreTokenizer.IsByteLevel);
        _encoder = new TextEncoder(file, model, _addedTokens);
        _plainEncoder = new TextEncoder(file, model, [.. _addedTokens.Where(token => !token.Special)]);
        _specialTokens = file.SpecialTokens.Apply(config.AddBos, BosId, config.AddEos, EosId);
    }

    /// <summary>
    /// Reads <c>tokenizer.json</c> and, where present, <c>tokenizer_config.json</c> and <c>special_tokens_map.json</c>
    /// of a folder, or the metadata of a GGUF file.
    /// </summary>
    /// <param name="folder">A model folder in Hugging Face's layout, or a GGUF file.</param>
    /// <exception cref="TokenizerException">
    /// A file is missing or broken, or asks for a part that is not supported.
    /// </exception>
    public static Tokenizer Load(string folder)
    {
        if (GgufFile.IsNamed(folder))
        {
            var (tokenizer, settings) = GgufTokenizer.Read(folder);
            return new Tokenizer(TokenizerFile.Read(tokenizer), TokenizerConfig.Read(settings));
        }

        var config = TokenizerConfig.Read(folder);
        var file = TokenizerFile.Read(Path.Combine(folder, "tokenizer.json"), config.AddPrefixSpace);
        return new Tokenizer(file, config);
    }

    /// <summary>Number of ids, added tokens included: the highest id plus one.</summary>
    public int VocabularySize => _table.Count;

    /// <summary>Id that begins a text by the configuration, if it names one.</summary>
    public int? BosId => GetRoleId("bos_token");

    /// <summary>Id that ends a text by the configuration, if it names one.</summary>
    public int? EosId => GetRoleId("eos_token");

    /// <summary>Id for padding by the configuration, if it names one.</summary>
    public int? PadId => GetRoleId("pad_token");

    /// <summary>Text of the special tokens by their role in the configuration, for example <c>eos_token</c>.</summary>
    public IReadOnlyDictionary<string, string> SpecialTokens => _config.SpecialTokens;

    /// <summary>
    /// True where the configuration wants English spacing tidied after decoding (<c>clean_up_tokenization_spaces</c>).
    /// </summary>
    public bool CleanUpTokenizationSpaces => _config.CleanUpSpaces;

    /// <summary>Id of a token spelled as in the file, or null.</summary>
    public int? TokenToId(string token) => _table.TokenToId(token);

    /// <summary>Token of an id spelled as in the file, or null.</summary>
    public string? IdToToken(int id) => _table.IdToToken(id);

    /// <summary>True for the ids that decoding drops by default.</summary>
    public bool IsSpecial(int id) => _table.IsSpecial(id);

    /// <summary>Ids of a text, in which the text of a special token becomes its id, as in Hugging Face.</summary>
    /// <param name="text">The text.</param>
    /// <param name="addSpecialTokens">Adds what the post-processor adds, for example BOS.</param>
    public int[] Encode(string text, bool addSpecialTokens = true)
    {
        var ids = _encoder.Encode(text);
        return addSpecialTokens ? AddSpecialTokens(ids) : ids;
    }

    /// <summary>
    /// Ids of a text in which the text of a special token is only text: a user's words cannot break out of their turn.
    /// Adds no special tokens.
    /// </summary>
    public int[] EncodeAsText(string text) => _plainEncoder.Encode(text);

    /// <summary>Text of ids; ids without a token are skipped.</summary>
    /// <param name="ids">The ids.</param>
    /// <param name="skipSpecialTokens">Leaves special tokens out.</param>
    /// <param name="cleanUpSpaces">
    /// Tidies English spacing, for example <c>" ."</c> to <c>"."</c>; transformers does where
    /// <see cref="CleanUpTokenizationSpaces"/> is true.
    /// </param>
    public string Decode(IEnumerable<int> ids, bool skipSpecialTokens = true, bool cleanUpSpaces = false)
    {
        var decoder = CreateStreamingDecoder(skipSpecialTokens);
        var text = new StringBuilder();
        foreach (var id in ids)
        {
            text.Append(decoder.Add(id));
        }

        text.Append(decoder.Finish());
        return cleanUpSpaces ? EnglishSpacing.CleanUp(text.ToString()) : text.ToString();
    }

    /// <summary>A decoder for ids that arrive one by one.</summary>
    public StreamingDecoder CreateStreamingDecoder(bool skipSpecialTokens = true) =>
        CreateStreamingDecoder(id => skipSpecialTokens && IsSpecial(id));

    /// <summary>A decoder that leaves out some of the ids.</summary>
    internal StreamingDecoder CreateStreamingDecoder(Func<int, bool> skips) => new(this, _file.Decoder, skips);

    /// <summary>Ids of a text that follows other text, so that no space is put in front of it.</summary>
    internal int[] EncodeContinuation(string text, bool specialText)
    {
        var encoder = specialText ? _encoder : _plainEncoder;
        return encoder.Encode(text, TextEncoder.NothingEscaped, isContinuation: true);
    }

    /// <summary>
    /// What the post-processor makes of the ids of a text, with BOS and EOS as the configuration has them.
    /// </summary>
    internal int[] AddSpecialTokens(int[] ids) => [.. _specialTokens.Before, .. ids, .. _specialTokens.After];

    /// <summary>A text as the tokenizer sees it before it splits it, where it continues an earlier one.</summary>
    internal string Normalize(string text) => _file.Normalize(text, true);

    internal TokenizerConfig Config => _config;

    internal TokenizerFile File => _file;

    internal TextEncoder Encoder => _encoder;

    internal IReadOnlyList<AddedToken> SpecialAddedTokens => [.. _addedTokens.Where(token => token.Special)];

    /// <summary>Text of all added tokens, special or not.</summary>
    internal IReadOnlyList<string> AddedTokenTexts => [.. _addedTokens.Select(token => token.Content)];

    int? GetRoleId(string role) => _config.SpecialTokens.TryGetValue(role, out var token) ? TokenToId(token) : null;

    /// <summary>
    /// The file's added tokens. One that the configuration names is special even where the file does not say so, and
    /// even where the file holds it as an ordinary token, as in transformers.
    /// </summary>
    static List<AddedToken> FindAddedTokens(TokenizerFile file, TokenizerConfig config)
    {
        HashSet<string> named = [.. config.SpecialTokens.Values, .. config.AdditionalSpecialTokens];
        var added = file
            .AddedTokens.Select(token => token with { Special = token.Special || named.Contains(token.Content) })
            .ToList();

        var ordinary = named.Except(added.Select(token => token.Content)).Order(StringComparer.Ordinal);
        foreach (var content in ordinary)
        {
            if (file.Vocabulary.Ids.TryGetValue(content, out var id))
            {
                added.Add(AddedToken.CreateSpecial(id, content));
            }
        }

        return added;
    }
}

/// <summary>
/// Text of ids that arrive one by one. What <see cref="Add"/> returns is final and never ends inside a character; all
/// of it and <see cref="Finish"/> together equal <see cref="Tokenizer.Decode"/> of all ids. Not safe to share between
/// threads.
/// </summary>
public sealed class StreamingDecoder
{
    readonly Tokenizer _tokenizer;
    readonly Func<int, bool> _skips;
    readonly StringBuilder _text = new();
    readonly DecoderStep _steps;

    internal StreamingDecoder(Tokenizer tokenizer, TokenDecoder decoder, Func<int, bool> skips)
    {
        _tokenizer = tokenizer;
        _skips = skips;
        _steps = decoder.CreateChain(_text);
    }

    /// <summary>
    /// Takes the next id and returns the text that has become final; often a word, empty while a character is
    /// unfinished.
    /// </summary>
    public string Add(int id)
    {
        var token = _tokenizer.IdToToken(id);
        if (token is not null && !_skips(id))
        {
            _steps.Push(token);
        }

        return TakeText();
    }

    /// <summary>
    /// Says that no id follows and returns what was held back; an unfinished character comes out as U+FFFD.
    /// </summary>
    public string Finish()
    {
        _steps.End();
        return TakeText();
    }

    string TakeText()
    {
        var text = _text.ToString();
        _text.Clear();
        return text;
    }
}
