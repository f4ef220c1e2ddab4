using CoPe.Gguf;

namespace CoPe.Tokens.Pipeline;

/// <summary>The tokens of a GGUF file.</summary>
sealed class GgufVocabulary
{
    /// <summary>The score that converters give tokens that SentencePiece does not have.</summary>
    public const float NoScore = -1000;

    const string TokensKey = GgufTokenizer.Prefix + "tokens";
    const string TypesKey = GgufTokenizer.Prefix + "token_type";
    const string ScoresKey = GgufTokenizer.Prefix + "scores";
    const string ModelKey = GgufTokenizer.Prefix + "model";

    readonly Dictionary<long, GgufToken> _byId;

    GgufVocabulary(IReadOnlyList<GgufToken> tokens, bool isByteLevel)
    {
        Tokens = tokens;
        IsByteLevel = isByteLevel;
        _byId = tokens.ToDictionary(token => (long)token.Id);
    }

    /// <summary>Those that stand for something: what only fills up the embedding is left out.</summary>
    public IReadOnlyList<GgufToken> Tokens { get; }

    /// <summary>Tokens spelled in bytes, with merges (gpt2); otherwise pieces with scores (llama).</summary>
    public bool IsByteLevel { get; }

    /// <summary>Whether there is a token for each byte.</summary>
    public bool HasBytes => Tokens.Count(token => token.Type == GgufTokenType.Byte) == 256;

    /// <exception cref="GgufException">The tokenizer is none that is read, or damaged.</exception>
    public static GgufVocabulary Read(GgufFile file)
    {
        var model = file.GetString(ModelKey);
        if (model is not ("gpt2" or "llama"))
        {
            throw new GgufException(ModelKey, $"is {model ?? "missing"}; supported: gpt2, llama");
        }

        var isByteLevel = model == "gpt2";
        var texts = file.GetStrings(TokensKey) ?? throw new GgufException(TokensKey, "is missing");
        if (texts.Length > BpeVocabulary.MaxId)
        {
            throw new GgufException(TokensKey, $"has {texts.Length} tokens; at most {BpeVocabulary.MaxId} are read");
        }

        var types = ReadBeside(file, TypesKey, texts.Length);
        var scores = isByteLevel ? null : ReadBeside(file, ScoresKey, texts.Length);
        if (!isByteLevel && scores is null)
        {
            throw new GgufException(ScoresKey, "is missing; this tokenizer needs it");
        }

        var seen = new Dictionary<string, int>(StringComparer.Ordinal);
        var tokens = new List<GgufToken>(texts.Length);
        for (var id = 0; id < texts.Length; id++)
        {
            var type = (GgufTokenType)(types?[id] ?? (double)GgufTokenType.Normal);
            var token = CreateToken(id, texts[id], type, scores?[id] ?? 0, isByteLevel);
            if (token.IsFiller)
            {
                continue;
            }

            if (!seen.TryAdd(token.Text, id))
            {
                throw new GgufException(
                    TokensKey,
                    $"has \"{MessageText.Shorten(token.Text, 40)}\" twice, with the ids {seen[token.Text]} and {id}"
                );
            }

            tokens.Add(token);
        }

        return new GgufVocabulary(tokens, isByteLevel);
    }

    static double[]? ReadBeside(GgufFile file, string key, int count)
    {
        var numbers = file.GetNumbers(key);
        return numbers is null || numbers.Length == count
            ? numbers
            : throw new GgufException(key, $"has {numbers.Length} numbers for {count} tokens");
    }

    /// <summary>
    /// Converters write the spaces of tokens that the user's model defines as such, where SentencePiece and Hugging
    /// Face's merges have marks; these merges come before all others.
    /// </summary>
    static GgufToken CreateToken(int id, string text, GgufTokenType type, double score, bool isByteLevel)
    {
        var hasSpaces =
            !isByteLevel && type == GgufTokenType.UserDefined && text.Contains(' ', StringComparison.Ordinal);
        return hasSpaces
            ? new(id, text.Replace(' ', '\u2581'), type, score <= NoScore ? double.PositiveInfinity : score)
            : new(id, text, type, score);
    }

    /// <summary>Text of the token that stands for what has none; null where there is none.</summary>
    public string? FindUnknown(GgufFile file)
    {
        const string Key = GgufTokenizer.Prefix + "unknown_token_id";
        return file.GetInteger(Key) is { } id
            ? Find(id, Key)
            : Tokens.FirstOrDefault(token => token.Type == GgufTokenType.Unknown)?.Text;
    }

    /// <summary>Text of an id that a key names.</summary>
    /// <exception cref="GgufException">There is no such token.</exception>
    public string Find(long id, string key) =>
        _byId.TryGetValue(id, out var token)
            ? token.Text
            : throw new GgufException(key, $"is {id}, but the file has no such token");
}

/// <summary>Kinds of tokens, by their numbers in the file.</summary>
enum GgufTokenType
{
    Undefined,
    Normal,
    Unknown,
    Control,
    UserDefined,
    Unused,
    Byte,
}

/// <summary>A token of a GGUF file.</summary>
sealed record GgufToken(int Id, string Text, GgufTokenType Type, double Score)
{
    /// <summary>Whether decoding drops it.</summary>
    public bool IsSpecial => Type is GgufTokenType.Control or GgufTokenType.Unknown;

    /// <summary>Whether it is split off a text before anything else happens to it.</summary>
    public bool IsAdded => IsSpecial || Type == GgufTokenType.UserDefined;

    /// <summary>Whether a converter put it there for a row of the embedding without a token.</summary>
    public bool IsFiller => Type == GgufTokenType.Unused && Text == FormattableString.Invariant($"[PAD{Id}]");
}

/// <summary>
/// Merges of a SentencePiece model, which has scores instead: each way to make a token of two others, the token of the
/// highest score first; for one token by the ids of its parts, as Hugging Face's converter has them.
/// </summary>
static class PieceMerges
{
    public static IEnumerable<(string Left, string Right)> Create(GgufVocabulary vocabulary)
    {
        var ids = vocabulary.Tokens.ToDictionary(token => token.Text, token => token.Id, StringComparer.Ordinal);
        var parts = ids.GetAlternateLookup<ReadOnlySpan<char>>();
        var order = vocabulary.Tokens.OrderByDescending(token => token.Score).ThenBy(token => token.Id);
        foreach (var token in order)
        {
            var splits = new List<(int Left, int Right, int Place)>();
            for (var place = 1; place < token.Text.Length; place++)
            {
                var text = token.Text.AsSpan();
                if (parts.TryGetValue(text[..place], out var left) && parts.TryGetValue(text[place..], out var right))
                {
                    splits.Add((left, right, place));
                }
            }

            foreach (var (_, _, place) in splits.Order())
            {
                yield return (token.Text[..place], token.Text[place..]);
            }
        }
    }
}
