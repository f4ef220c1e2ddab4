namespace CoPe.Tokens.Pipeline;

/// <summary>
/// The way from text to ids: added tokens, normalizer, added tokens of the normalized text, pre-tokenizer, merges.
/// </summary>
sealed class TextEncoder
{
    /// <summary>For a text without placeholders.</summary>
    public static readonly IReadOnlyDictionary<char, char> NothingEscaped = new Dictionary<char, char>();

    readonly TokenizerFile _file;
    readonly BpeModel _model;
    readonly MergeBoundarySplitter _mergeBoundaries;
    readonly AddedTokenSplitter _rawTokens;
    readonly AddedTokenSplitter _normalizedTokens;

    public TextEncoder(TokenizerFile file, BpeModel model, IReadOnlyList<AddedToken> added)
    {
        _file = file;
        _model = model;
        _mergeBoundaries = new MergeBoundarySplitter(file.Vocabulary);
        _rawTokens = new AddedTokenSplitter(added.Where(token => !token.Normalized));
        _normalizedTokens = new AddedTokenSplitter(
            added
                .Where(token => token.Normalized)
                .Select(token => token with { Content = file.Normalize(token.Content, false) })
        );
    }

    public int[] Encode(string text) => Encode(text, NothingEscaped, isContinuation: false);

    /// <summary>Ids of a text.</summary>
    /// <param name="text">The text.</param>
    /// <param name="originals">
    /// The characters that placeholders in the text stand for; they return once added tokens have been split off.
    /// </param>
    /// <param name="isContinuation">The text follows other text, so that nothing is put in front of it.</param>
    public int[] Encode(string text, IReadOnlyDictionary<char, char> originals, bool isContinuation)
    {
        var ids = new List<int>(text.Length / 3 + 8);
        List<TextPiece> words = [];
        List<TextPiece> spare = [];
        foreach (var (start, length, token) in _rawTokens.Split(text))
        {
            if (token is not null)
            {
                ids.Add(token.Id);
                continue;
            }

            var segment = _file.Normalize(text.Substring(start, length), isContinuation && start == 0);
            foreach (var (from, count, normalizedToken) in _normalizedTokens.Split(segment))
            {
                if (normalizedToken is not null)
                {
                    ids.Add(normalizedToken.Id);
                    continue;
                }

                var isFirst = start == 0 && from == 0 && !isContinuation;
                var piece = new TextPiece(segment, from, count, isFirst);
                AddWords(RestoreEscaped(piece, originals), words, spare, ids);
            }
        }

        return [.. ids];
    }

    void AddWords(TextPiece piece, List<TextPiece> words, List<TextPiece> spare, List<int> ids)
    {
        _file.PreTokenizer.Split(piece, words, spare);
        if (!_file.PreTokenizer.IsByteLevel)
        {
            spare.Clear();
            foreach (var word in words)
            {
                _mergeBoundaries.Split(word, spare);
            }

            words = spare;
        }

        foreach (var word in words)
        {
            _model.Encode(word.Span, ids);
        }
    }

    static TextPiece RestoreEscaped(TextPiece piece, IReadOnlyDictionary<char, char> originals)
    {
        if (originals.Count == 0)
        {
            return piece;
        }

        var text = piece.Span.ToArray();
        for (var i = 0; i < text.Length; i++)
        {
            if (originals.TryGetValue(text[i], out var original))
            {
                text[i] = original;
            }
        }

        return new TextPiece(new string(text), 0, text.Length, piece.IsFirst);
    }
}
