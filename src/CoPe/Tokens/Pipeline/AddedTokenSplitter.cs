using System.Buffers;

namespace CoPe.Tokens.Pipeline;

/// <summary>Splits added tokens off a text: at the leftmost place where one begins, the longest one.</summary>
sealed class AddedTokenSplitter
{
    readonly Dictionary<string, AddedToken>.AlternateLookup<ReadOnlySpan<char>> _tokens;
    readonly Dictionary<char, int[]> _lengths; // by first character, longest first
    readonly SearchValues<char> _firstCharacters;

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
        _firstCharacters = SearchValues.Create([.. _lengths.Keys]);
    }

    /// <summary>
    /// The pieces of <c>text</c> in order; a piece with a token holds that token, the others plain text.
    /// </summary>
    public IEnumerable<(int Start, int Length, AddedToken? Token)> Split(string text)
    {
        var done = 0;
        var searchFrom = 0;
        while (FindNext(text, searchFrom) is { } found)
        {
            var (start, token) = found;
            var stop = start + token.Content.Length;
            searchFrom = stop;
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

            // Where an earlier token has taken the white space that this one begins with, nothing stands between them.
            if (start > done)
            {
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

    (int Start, AddedToken Token)? FindNext(string text, int from)
    {
        while (true)
        {
            var step = text.AsSpan(from).IndexOfAny(_firstCharacters);
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

/// <summary>A token that is split off the text before anything else happens to it.</summary>
sealed record AddedToken
{
    public required int Id { get; init; }
    public required string Content { get; init; }
    public bool Special { get; init; }

    /// <summary>Matched only where no letter or digit touches it.</summary>
    public bool SingleWord { get; init; }

    /// <summary>Takes the white space on its left away.</summary>
    public bool LeftStrip { get; init; }

    /// <summary>Takes the white space on its right away.</summary>
    public bool RightStrip { get; init; }

    /// <summary>Matched in the normalized text instead of the raw one.</summary>
    public bool Normalized { get; init; }

    public static AddedToken CreateSpecial(int id, string content) =>
        new()
        {
            Id = id,
            Content = content,
            Special = true,
        };

    public static AddedToken Read(JsonPart part)
    {
        var isSpecial = part["special"].GetBoolean(false);
        return new AddedToken
        {
            Id = part["id"].GetInt32(),
            Content = part["content"].GetString(),
            Special = isSpecial,
            SingleWord = part["single_word"].GetBoolean(false),
            LeftStrip = part["lstrip"].GetBoolean(false),
            RightStrip = part["rstrip"].GetBoolean(false),
            Normalized = part["normalized"].GetBoolean(!isSpecial),
        };
    }
}
