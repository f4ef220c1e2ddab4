using System.Text;

namespace CoPe.Tokens.Pipeline;

/// <summary>
/// The way from text to ids: added tokens, normalizer, added tokens of the normalized text, pre-tokenizer, merges.
/// </summary>
sealed class TextEncoder
{
    /// <summary>For a text without placeholders.</summary>
    public static readonly IReadOnlyDictionary<char, string> NothingEscaped = new Dictionary<char, string>();

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
    /// What placeholders in the text stand for; it returns, normalized, once added tokens have been split off.
    /// </param>
    /// <param name="isContinuation">The text follows other text, so that nothing is put in front of it.</param>
    public int[] Encode(string text, IReadOnlyDictionary<char, string> originals, bool isContinuation)
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

    TextPiece RestoreEscaped(TextPiece piece, IReadOnlyDictionary<char, string> originals)
    {
        if (originals.Count == 0)
        {
            return piece;
        }

        var text = new StringBuilder(piece.Span.Length);
        foreach (var c in piece.Span)
        {
            if (originals.TryGetValue(c, out var original))
            {
                text.Append(_file.Normalize(original, true));
            }
            else
            {
                text.Append(c);
            }
        }

        return new TextPiece(text.ToString(), 0, text.Length, piece.IsFirst);
    }
}
