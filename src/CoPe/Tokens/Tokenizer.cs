using System.Text;
using CoPe.Tokens.Pipeline;

namespace CoPe.Tokens;

/// <summary>
/// A byte-pair tokenizer read from Hugging Face's tokenizer.json. Immutable, safe to share between threads.
/// </summary>
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
        var added = ReadAddedTokens(file, config);
        var model = new BpeModel(file.Vocabulary, file.PreTokenizer.ByteLevel);
        _table = new TokenTable(file.Vocabulary.Ids, added);
        _encoder = new TextEncoder(file, model, added);
        _plainEncoder = new TextEncoder(file, model, [.. added.Where(token => !token.Special)]);
    }

    /// <summary>
    /// Reads <c>tokenizer.json</c> and, where present, <c>tokenizer_config.json</c> and <c>special_tokens_map.json</c>
    /// of a folder.
    /// </summary>
    /// <exception cref="TokenizerException">
    /// A file is missing or broken, or asks for a part that is not supported.
    /// </exception>
    public static Tokenizer Load(string folder) =>
        new(TokenizerFile.Read(Path.Combine(folder, "tokenizer.json")), TokenizerConfig.Read(folder));

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

    /// <summary>
    /// Ids of a text. <paramref name="addSpecialTokens"/> runs the post-processor (BOS); special tokens standing in the
    /// text become their ids, as in Hugging Face.
    /// </summary>
    public int[] Encode(string text, bool addSpecialTokens = true)
    {
        var ids = _encoder.Encode(text);
        return addSpecialTokens ? AddSpecialTokens(ids) : ids;
    }

    /// <summary>
    /// Ids of a text in which special-token text is only text: a user's words cannot break out of their turn. Adds no
    /// special tokens.
    /// </summary>
    public int[] EncodeAsText(string text) => _plainEncoder.Encode(text);

    /// <summary>Text of ids; ids without a token are skipped.</summary>
    /// <param name="ids">The ids.</param>
    /// <param name="skipSpecialTokens">Leaves special tokens out.</param>
    /// <param name="cleanUpSpaces">
    /// Tidies English spacing as transformers does where <see cref="CleanUpTokenizationSpaces"/>: <c>" ." -> "."</c>
    /// and its like.
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
        new(this, _file.Decoder, skipSpecialTokens);

    /// <summary>Ids of a text that goes on after other text, so that no space is put in front of it.</summary>
    internal int[] EncodeContinuation(string text, bool specialText) =>
        (specialText ? _encoder : _plainEncoder).Encode(text, new Dictionary<char, char>(), continuing: true);

    /// <summary>What the post-processor makes of the ids of a text.</summary>
    internal int[] AddSpecialTokens(int[] ids) => [.. _file.SpecialTokens.Before, .. ids, .. _file.SpecialTokens.After];

    internal TokenizerConfig Config => _config;

    internal TextEncoder Encoder => _encoder;

    internal IReadOnlyList<AddedToken> SpecialAddedTokens =>
        [.. ReadAddedTokens(_file, _config).Where(token => token.Special)];

    int? GetRoleId(string role) => _config.SpecialTokens.TryGetValue(role, out var token) ? TokenToId(token) : null;

    // A token that the configuration names is special even where tokenizer.json does not say so, as in transformers.
    static List<AddedToken> ReadAddedTokens(TokenizerFile file, TokenizerConfig config)
    {
        HashSet<string> named = [.. config.SpecialTokens.Values, .. config.AdditionalSpecialTokens];
        var added = file
            .AddedTokens.Select(token => token with { Special = token.Special || named.Contains(token.Content) })
            .ToList();
        foreach (var content in named.Except(added.Select(token => token.Content)).Order(StringComparer.Ordinal))
        {
            if (file.Vocabulary.Ids.TryGetValue(content, out var id))
            {
                added.Add(
                    new AddedToken
                    {
                        Id = id,
                        Content = content,
                        Special = true,
                    }
                );
            }
        }

        return added;
    }
}

/// <summary>
/// Text of ids that arrive one by one. What <see cref="Add"/> returns is final and never ends inside a character; all
/// of it and
/// <see cref="Finish"/> together equal <see cref="Tokenizer.Decode"/> of all ids.
/// </summary>
public sealed class StreamingDecoder
{
    readonly Tokenizer _tokenizer;
    readonly bool _skipSpecialTokens;
    readonly StringBuilder _text = new();
    readonly DecoderStep _steps;

    internal StreamingDecoder(Tokenizer tokenizer, TokenDecoder decoder, bool skipSpecialTokens)
    {
        (_tokenizer, _skipSpecialTokens) = (tokenizer, skipSpecialTokens);
        _steps = decoder.CreateChain(_text);
    }

    /// <summary>
    /// Takes the next id and returns the text that has become final; often a word, empty while a character is
    /// unfinished.
    /// </summary>
    public string Add(int id)
    {
        if (_tokenizer.IdToToken(id) is { } token && !(_skipSpecialTokens && _tokenizer.IsSpecial(id)))
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

/// <summary>A tokenizer file that is broken, or asks for something this reader does not know.</summary>
/// <param name="file">The file read.</param>
/// <param name="part">Path of the part inside it, for example <c>pre_tokenizer.pretokenizers[0].pattern</c>.</param>
/// <param name="problem">What was found, what was expected, and what to do.</param>
/// <param name="inner">The error behind it, if any.</param>
public sealed class TokenizerException(string file, string part, string problem, Exception? inner = null)
    : FormatException($"{file}: {(part.Length == 0 ? "" : part + ": ")}{problem}", inner)
{
    /// <summary>The file read.</summary>
    public string File { get; } = file;

    /// <summary>Path of the part inside the file; empty for the file as a whole.</summary>
    public string Part { get; } = part;
}
