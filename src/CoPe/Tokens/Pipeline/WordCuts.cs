namespace CoPe.Tokens.Pipeline;

/// <summary>
/// Cuts a segment that no pre-tokenizer cuts, exactly where no merge can cross: before each word mark whose left neighbour is another
/// character and stands beside a word mark in no merge's result. The ids are the same; short words can be remembered.
/// </summary>
internal sealed class WordCuts(BpeVocabulary vocabulary)
{
    const char Mark = '\u2581';

    readonly bool _safe = !vocabulary.IgnoreMerges && vocabulary.Ids.ContainsKey(Mark.ToString())
        && !vocabulary.Merges.Pairs.Any(pair => IsByte(vocabulary, pair.Left) || IsByte(vocabulary, pair.Right));

    public void Cut(TextPiece piece, List<TextPiece> output)
    {
        var text = piece.Span;
        var start = 0;
        for (var i = 1; _safe && i < text.Length; i++)
        {
            if (text[i] != Mark || text[i - 1] == Mark || vocabulary.Neighbours.Contains((text[i - 1], Mark))) continue;
            output.Add(piece.Part(start, i - start));
            start = i;
        }
        output.Add(piece.Part(start, text.Length - start));
    }

    static bool IsByte(BpeVocabulary vocabulary, int id) => vocabulary.ByteIds.Contains(id);
}
