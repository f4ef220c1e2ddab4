using System.Text;
using CoPe.Tokens.Pipeline;

namespace CoPe.Tokens.Training;

/// <summary>How often each word of the pre-tokenizer stands in the texts.</summary>
internal static class WordCounts
{
    /// <summary>Words and counts in the order of the words, so that the order of the texts does not matter.</summary>
    public static IReadOnlyList<(string Word, long Count)> Of(IEnumerable<string> texts, IReadOnlyList<string> specialTokens, CancellationToken cancellation)
    {
        var splitter = new AddedTokenSplitter(specialTokens.Select((content, id) => new AddedToken { Id = id, Content = content, Special = true }));
        var step = WordPattern.Recognise(WordPattern.SingleDigits)!;
        var counts = new Dictionary<string, long>(StringComparer.Ordinal);
        var lookup = counts.GetAlternateLookup<ReadOnlySpan<char>>();
        var pieces = new List<TextPiece>();
        foreach (var text in texts)
        {
            cancellation.ThrowIfCancellationRequested();
            foreach (var (start, length, token) in splitter.Split(text))
            {
                if (token is not null) continue;
                var segment = UnicodeForm.Apply(text.Substring(start, length), NormalizationForm.FormC);
                pieces.Clear();
                step(new TextPiece(segment, 0, segment.Length, true), pieces);
                foreach (var piece in pieces) lookup[piece.Span] = lookup.TryGetValue(piece.Span, out var count) ? count + 1 : 1;
            }
        }
        return [.. counts.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => (pair.Key, pair.Value))];
    }
}
