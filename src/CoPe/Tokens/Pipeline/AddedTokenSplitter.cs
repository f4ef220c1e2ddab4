using System.Buffers;

namespace CoPe.Tokens.Pipeline;

/// <summary>Cuts added tokens out of a text: at the leftmost place where one begins, the longest one.</summary>
sealed class AddedTokenSplitter
{
    readonly Dictionary<string, AddedToken>.AlternateLookup<ReadOnlySpan<char>> _tokens;
    readonly Dictionary<char, int[]> _lengths; // by first character, longest first
    readonly SearchValues<char> _firsts;

    public AddedTokenSplitter(IEnumerable<AddedToken> tokens)
    {
        var byContent = new Dictionary<string, AddedToken>(StringComparer.Ordinal);
        foreach (var token in tokens)
        {
            if (token.Content.Length > 0)
            {
                byContent[token.Content] = token;
            }
        }

        _tokens = byContent.GetAlternateLookup<ReadOnlySpan<char>>();
        _lengths = byContent
            .Keys.GroupBy(content => content[0])
            .ToDictionary(
                group => group.Key,
                group => group.Select(content => content.Length).Distinct().OrderDescending().ToArray()
            );
        _firsts = SearchValues.Create([.. _lengths.Keys]);
    }

    /// <summary>
    /// The pieces of <c>text</c> in order; a piece with a token holds that token, the others plain text.
    /// </summary>
    public IEnumerable<(int Start, int Length, AddedToken? Token)> Split(string text)
    {
        int done = 0,
            at = 0;
        while (FindNext(text, at) is { } found)
        {
            var (start, token) = found;
            var stop = at = start + token.Content.Length;
            if (token.SingleWord && !IsWholeWord(text, start, stop))
            {
                continue;
            }

            while (token.LeftStrip && start > done && char.IsWhiteSpace(text[start - 1]))
            {
                start--;
            }

            while (token.RightStrip && stop < text.Length && char.IsWhiteSpace(text[stop]))
            {
                stop++;
            }

            if (start > done)
            {
                // Else an earlier token has swallowed the white space this one begins with.
                yield return (done, start - done, null);
            }

            yield return (start, stop - start, token);
            done = stop;
        }
        if (done < text.Length)
        {
            yield return (done, text.Length - done, null);
        }
    }

    /// <summary>True where a token begins at this place of the text.</summary>
    public bool BeginsAt(string text, int index) => FindLongestAt(text, index) is not null;

    (int Start, AddedToken Token)? FindNext(string text, int from)
    {
        while (true)
        {
            var step = text.AsSpan(from).IndexOfAny(_firsts);
            if (step < 0)
            {
                return null;
            }

            from += step;
            if (FindLongestAt(text, from) is { } token)
            {
                return (from, token);
            }

            from++;
        }
    }

    AddedToken? FindLongestAt(string text, int index)
    {
        if (!_lengths.TryGetValue(text[index], out var lengths))
        {
            return null;
        }

        foreach (var length in lengths)
        {
            if (length <= text.Length - index && _tokens.TryGetValue(text.AsSpan(index, length), out var token))
            {
                return token;
            }
        }

        return null;
    }

    static bool IsWholeWord(string text, int start, int stop) =>
        (start == 0 || !CodePoints.IsWord(CodePointBefore(text, start)))
        && (stop == text.Length || !CodePoints.IsWord(CodePoints.GetAt(text, stop, out _)));

    static int CodePointBefore(string text, int index) =>
        index >= 2 && char.IsSurrogatePair(text[index - 2], text[index - 1])
            ? char.ConvertToUtf32(text[index - 2], text[index - 1])
            : text[index - 1];
}

/// <summary>A token cut out of the text before anything else happens to it.</summary>
sealed record AddedToken
{
    public required int Id { get; init; }
    public required string Content { get; init; }
    public bool Special { get; init; }

    /// <summary>Matched only where no letter or digit touches it.</summary>
    public bool SingleWord { get; init; }

    /// <summary>Swallows white space on its left.</summary>
    public bool LeftStrip { get; init; }

    /// <summary>Swallows white space on its right.</summary>
    public bool RightStrip { get; init; }

    /// <summary>Matched in the normalised text instead of the raw one.</summary>
    public bool Normalized { get; init; }

    public static AddedToken Read(JsonPart part) =>
        new()
        {
            Id = part["id"].GetInt32(),
            Content = part["content"].GetString(),
            Special = part["special"].GetBoolean(false),
            SingleWord = part["single_word"].GetBoolean(false),
            LeftStrip = part["lstrip"].GetBoolean(false),
            RightStrip = part["rstrip"].GetBoolean(false),
            Normalized = part["normalized"].GetBoolean(!part["special"].GetBoolean(false)),
        };
}
