namespace CoPe.Tokens.Pipeline;

/// <summary>Hand-written scanners of the patterns by which byte-level tokenizers split text into words.</summary>
static class WordPattern
{
    const string Head = @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|";
    const string Tail = @"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
    const string Gpt2Pattern = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

    /// <summary>The pattern of the Qwen family, digits one by one.</summary>
    public const string SingleDigits = Head + @"\p{N}" + Tail;

    /// <summary>The pattern of Llama 3, digits by threes.</summary>
    public const string ThreeDigits = Head + @"\p{N}{1,3}" + Tail;

    /// <summary>The scanner of a pattern, or null where none was written for it.</summary>
    public static PreTokenizerStep? FindScanner(string pattern)
    {
        if (pattern == Gpt2Pattern)
        {
            return ScanGpt2;
        }

        if (!pattern.StartsWith(Head, StringComparison.Ordinal) || !pattern.EndsWith(Tail, StringComparison.Ordinal))
        {
            return null;
        }

        return pattern[Head.Length..^Tail.Length] switch
        {
            @"\p{N}" => CreateWordScanner(1),
            @"\p{N}{1,2}" => CreateWordScanner(2),
            @"\p{N}{1,3}" => CreateWordScanner(3),
            @"\p{N}+" => CreateWordScanner(int.MaxValue),
            _ => null,
        };
    }

    /// <summary>
    /// Words with the character before them, numbers of at most so many digits, punctuation with a space before and
    /// line ends behind, white space.
    /// </summary>
    public static PreTokenizerStep CreateWordScanner(int maxDigits) =>
        (piece, output) =>
        {
            var text = piece.Span;
            for (var i = 0; i < text.Length;)
            {
                var length = GetWordLength(text[i..], maxDigits);
                output.Add(piece.Slice(i, length));
                i += length;
            }
        };

    /// <summary>The pattern of GPT-2: words, numbers and punctuation, each with one space before it.</summary>
    public static void ScanGpt2(TextPiece piece, List<TextPiece> output)
    {
        var text = piece.Span;
        for (var i = 0; i < text.Length;)
        {
            var length = GetGpt2Length(text[i..]);
            output.Add(piece.Slice(i, length));
            i += length;
        }
    }

    static int GetWordLength(ReadOnlySpan<char> text, int maxDigits)
    {
        if (text[0] == '\'' && GetContractionLength(text, ignoreCase: true) is var contraction and > 0)
        {
            return contraction;
        }

        var kind = CodePoints.GetKindAt(text, 0, out var firstLength);
        if (kind == CodePoints.Kind.Letter)
        {
            return SkipKind(text, 0, CodePoints.Kind.Letter);
        }

        if (kind == CodePoints.Kind.Number)
        {
            return SkipKind(text, 0, CodePoints.Kind.Number, maxDigits);
        }

        var isLineEnd = text[0] is '\r' or '\n';
        var wordEnd = isLineEnd ? firstLength : SkipKind(text, firstLength, CodePoints.Kind.Letter);
        if (wordEnd > firstLength)
        {
            return wordEnd;
        }

        var spaceLength = text[0] == ' ' ? 1 : 0;
        var end = SkipKind(text, spaceLength, CodePoints.Kind.Other);
        if (end == spaceLength)
        {
            return GetSpaceLength(text, splitsAfterLineEnds: true);
        }

        while (end < text.Length && text[end] is '\r' or '\n')
        {
            end++;
        }

        return end;
    }

    static int GetGpt2Length(ReadOnlySpan<char> text)
    {
        if (text[0] == '\'' && GetContractionLength(text, ignoreCase: false) is var contraction and > 0)
        {
            return contraction;
        }

        var spaceLength = text[0] == ' ' ? 1 : 0;
        if (spaceLength == text.Length)
        {
            return 1;
        }

        var kind = CodePoints.GetKindAt(text, spaceLength, out _);
        return kind == CodePoints.Kind.Space
            ? GetSpaceLength(text, splitsAfterLineEnds: false)
            : SkipKind(text, spaceLength, kind);
    }

    /// <summary>White space up to its last line end; else all of it but the last before a word; else all.</summary>
    static int GetSpaceLength(ReadOnlySpan<char> text, bool splitsAfterLineEnds)
    {
        var end = SkipKind(text, 0, CodePoints.Kind.Space);
        var lastLineEnd = splitsAfterLineEnds ? text[..end].LastIndexOfAny('\r', '\n') : -1;
        if (lastLineEnd >= 0)
        {
            return lastLineEnd + 1;
        }

        return end == text.Length || end == 1 ? end : end - 1;
    }

    /// <summary>
    /// Where the code points of this kind end that begin at an index; at most so many of them are passed.
    /// </summary>
    static int SkipKind(ReadOnlySpan<char> text, int index, CodePoints.Kind kind, int maxCount = int.MaxValue)
    {
        for (var count = 0; count < maxCount && index < text.Length; count++)
        {
            if (CodePoints.GetKindAt(text, index, out var length) != kind)
            {
                break;
            }

            index += length;
        }

        return index;
    }

    static int GetContractionLength(ReadOnlySpan<char> text, bool ignoreCase)
    {
        if (text.Length < 2)
        {
            return 0;
        }

        var first = Fold(text[1], ignoreCase);
        if (first is 's' or 't' or 'm' or 'd')
        {
            return 2;
        }

        if (text.Length < 3)
        {
            return 0;
        }

        return (first, Fold(text[2], ignoreCase)) is ('r', 'e') or ('v', 'e') or ('l', 'l') ? 3 : 0;
    }

    static char Fold(char c, bool ignoreCase)
    {
        if (!ignoreCase)
        {
            return c;
        }

        const char LongS = '\u017F'; // folds to s as well
        return c == LongS ? 's' : char.ToLowerInvariant(c);
    }
}
