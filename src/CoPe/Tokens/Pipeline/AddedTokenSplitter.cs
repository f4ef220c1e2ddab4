using System.Buffers;

namespace CoPe.Tokens.Pipeline;

/// <summary>Cuts added tokens out of a text: at the leftmost place where one begins, the longest one.</summary>
internal sealed class AddedTokenSplitter
{
    readonly Dictionary<string, AddedToken>.AlternateLookup<ReadOnlySpan<char>> _tokens;
    readonly Dictionary<char, int[]> _lengths; // by first character, longest first
    readonly SearchValues<char> _firsts;

    public AddedTokenSplitter(IEnumerable<AddedToken> tokens)
    {
        var byContent = new Dictionary<string, AddedToken>(StringComparer.Ordinal);
        foreach (var token in tokens)
            if (token.Content.Length > 0) byContent[token.Content] = token;
        _tokens = byContent.GetAlternateLookup<ReadOnlySpan<char>>();
        _lengths = byContent.Keys.GroupBy(content => content[0])
            .ToDictionary(group => group.Key, group => group.Select(content => content.Length).Distinct().OrderDescending().ToArray());
        _firsts = SearchValues.Create([.. _lengths.Keys]);
    }

    /// <summary>The pieces of <c>text</c> in order; a piece with a token holds that token, the others plain text.</summary>
    public IEnumerable<(int Start, int Length, AddedToken? Token)> Split(string text)
    {
        int done = 0, at = 0;
        while (Next(text, at) is { } found)
        {
            var (start, token) = found;
            var stop = at = start + token.Content.Length;
            if (token.SingleWord && !StandsAlone(text, start, stop)) continue;
            while (token.LeftStrip && start > done && char.IsWhiteSpace(text[start - 1])) start--;
            while (token.RightStrip && stop < text.Length && char.IsWhiteSpace(text[stop])) stop++;
            if (start > done) yield return (done, start - done, null); // else an earlier token has swallowed the white space this one begins with
            yield return (start, stop - start, token);
            done = stop;
        }
        if (done < text.Length) yield return (done, text.Length - done, null);
    }

    /// <summary>True where a token begins at this place of the text.</summary>
    public bool BeginsAt(string text, int index) => LongestAt(text, index) is not null;

    (int Start, AddedToken Token)? Next(string text, int from)
    {
        while (true)
        {
            var step = text.AsSpan(from).IndexOfAny(_firsts);
            if (step < 0) return null;
            from += step;
            if (LongestAt(text, from) is { } token) return (from, token);
            from++;
        }
    }

    AddedToken? LongestAt(string text, int index)
    {
        if (!_lengths.TryGetValue(text[index], out var lengths)) return null;
        foreach (var length in lengths)
            if (length <= text.Length - index && _tokens.TryGetValue(text.AsSpan(index, length), out var token)) return token;
        return null;
    }

    static bool StandsAlone(string text, int start, int stop) =>
        (start == 0 || !CodePoints.IsWord(Before(text, start))) && (stop == text.Length || !CodePoints.IsWord(CodePoints.At(text, stop, out _)));

    static int Before(string text, int index) =>
        index >= 2 && char.IsSurrogatePair(text[index - 2], text[index - 1]) ? char.ConvertToUtf32(text[index - 2], text[index - 1]) : text[index - 1];
}
