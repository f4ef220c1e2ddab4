namespace CoPe.Tokens.Pipeline;

/// <summary>
/// The way from text to ids: added tokens, normalizer, added tokens of the normalised text, pre-tokenizer, merges.
/// </summary>
sealed class TextEncoder
{
    static readonly IReadOnlyDictionary<char, char> NothingEscaped = new Dictionary<char, char>();

    readonly TokenizerFile _file;
    readonly BpeModel _model;
    readonly MergeBoundarySplitter _cuts;
    readonly AddedTokenSplitter _raw,
        _normalized;

    public TextEncoder(TokenizerFile file, BpeModel model, IReadOnlyList<AddedToken> added)
    {
        (_file, _model) = (file, model);
        _cuts = new MergeBoundarySplitter(file.Vocabulary);
        _raw = new AddedTokenSplitter(added.Where(token => !token.Normalized));
        _normalized = new AddedTokenSplitter(
            added
                .Where(token => token.Normalized)
                .Select(token => token with { Content = file.Normalize(token.Content, false) })
        );
    }

    public int[] Encode(string text) => Encode(text, NothingEscaped, continuing: false);

    /// <summary>
    /// Ids of a text. <paramref name="shields"/> maps stand-ins to the characters they stand for, which return once
    /// added tokens have been cut out.
    /// <paramref name="continuing"/>: the text goes on after other text, so that nothing is put in front of it.
    /// </summary>
    public int[] Encode(string text, IReadOnlyDictionary<char, char> shields, bool continuing)
    {
        var ids = new List<int>(text.Length / 3 + 8);
        List<TextPiece> words = [],
            spare = [];
        foreach (var (start, length, token) in _raw.Split(text))
        {
            if (token is not null)
            {
                ids.Add(token.Id);
                continue;
            }
            var segment = _file.Normalize(text.Substring(start, length), continuing && start == 0);
            foreach (var (from, count, normalized) in _normalized.Split(segment))
            {
                if (normalized is not null)
                {
                    ids.Add(normalized.Id);
                    continue;
                }
                var piece = new TextPiece(segment, from, count, start == 0 && from == 0 && !continuing);
                AddWords(RestoreEscaped(piece, shields), words, spare, ids);
            }
        }
        return [.. ids];
    }

    void AddWords(TextPiece piece, List<TextPiece> words, List<TextPiece> spare, List<int> ids)
    {
        _file.PreTokenizer.Run(piece, words, spare);
        if (!_file.PreTokenizer.ByteLevel)
        {
            spare.Clear();
            foreach (var word in words)
            {
                _cuts.Split(word, spare);
            }

            words = spare;
        }
        foreach (var word in words)
        {
            _model.Encode(word.Span, ids);
        }
    }

    static TextPiece RestoreEscaped(TextPiece piece, IReadOnlyDictionary<char, char> shields)
    {
        if (shields.Count == 0)
        {
            return piece;
        }

        var text = piece.Span.ToArray();
        for (var i = 0; i < text.Length; i++)
        {
            if (shields.TryGetValue(text[i], out var original))
            {
                text[i] = original;
            }
        }

        return new TextPiece(new string(text), 0, text.Length, piece.IsFirst);
    }
}
