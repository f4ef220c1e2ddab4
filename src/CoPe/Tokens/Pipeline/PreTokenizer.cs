namespace CoPe.Tokens.Pipeline;

/// <summary>A step that cuts a piece into smaller ones, which the merges never cross.</summary>
/// <param name="piece">The piece to cut.</param>
/// <param name="output">Receives the parts in order.</param>
delegate void PreTokenizerStep(TextPiece piece, List<TextPiece> output);

/// <summary>
/// The pre-tokenizer of a tokenizer.json: its steps, and whether words are spelled in bytes at the end.
/// </summary>
sealed class PreTokenizer
{
    readonly PreTokenizerStep[] _steps;

    PreTokenizer(PreTokenizerStep[] steps, bool byteLevel) => (_steps, ByteLevel) = (steps, byteLevel);

    /// <summary>True where the merges work on bytes in the byte-level alphabet.</summary>
    public bool ByteLevel { get; }

    public static PreTokenizer Read(JsonPart part)
    {
        var steps = new List<PreTokenizerStep>();
        var byteLevel = false;
        if (!part.IsAbsent)
        {
            PreTokenizerReader.Collect(part, steps, ref byteLevel);
        }

        return new PreTokenizer([.. steps], byteLevel);
    }

    /// <summary>The words of a segment; <paramref name="words"/> is cleared first.</summary>
    public void Run(TextPiece segment, List<TextPiece> words, List<TextPiece> spare)
    {
        words.Clear();
        words.Add(segment);
        foreach (var step in _steps)
        {
            spare.Clear();
            spare.AddRange(words);
            words.Clear();
            foreach (var piece in spare)
            {
                step(piece, words);
            }
        }
    }
}

/// <summary>A stretch of a text on its way to the merges.</summary>
/// <param name="Text">The text it is part of.</param>
/// <param name="Start">Where it begins there.</param>
/// <param name="Length">Its length in UTF-16 units.</param>
/// <param name="IsFirst">True where it stands at the very beginning of what was to be encoded.</param>
readonly record struct TextPiece(string Text, int Start, int Length, bool IsFirst)
{
    public ReadOnlySpan<char> Span => Text.AsSpan(Start, Length);

    /// <summary>A part of this piece; only one that begins where it begins can still be the first.</summary>
    public TextPiece Slice(int offset, int length) => new(Text, Start + offset, length, IsFirst && offset == 0);
}

/// <summary>Reads the steps of a pre-tokenizer.</summary>
static class PreTokenizerReader
{
    const string Known = "Sequence, Split, ByteLevel, Metaspace, Digits, Punctuation, Whitespace, WhitespaceSplit";

    public static void Collect(JsonPart part, List<PreTokenizerStep> steps, ref bool byteLevel)
    {
        if (byteLevel)
        {
            throw part.Error("stands after a ByteLevel step, which must be the last");
        }

        var type = part["type"].GetString();
        switch (type)
        {
            case "Sequence":
                foreach (var item in part["pretokenizers"].EnumerateArray())
                {
                    Collect(item, steps, ref byteLevel);
                }

                break;
            case "ByteLevel":
                if (part["add_prefix_space"].GetBoolean(true))
                {
                    steps.Add(AddPrefixSpace);
                }

                if (part["use_regex"].GetBoolean(true))
                {
                    steps.Add(WordPattern.ScanGpt2);
                }

                byteLevel = true;
                break;
            case "Split":
                steps.Add(ReadSplit(part));
                break;
            case "Metaspace":
                steps.Add(Metaspace.Read(part).PreTokenize);
                break;
            case "Digits":
                steps.Add(
                    SplitByCodePoint(
                        static codePoint => CodePoints.GetKind(codePoint) == CodePoints.Kind.Number,
                        part["individual_digits"].GetBoolean(false) ? SplitBehavior.Isolated : SplitBehavior.Contiguous
                    )
                );
                break;
            case "Punctuation":
                var behavior = part["behavior"];
                steps.Add(
                    SplitByCodePoint(
                        CodePoints.IsPunctuation,
                        behavior.IsAbsent ? SplitBehavior.Isolated : SplitBehaviors.Read(behavior)
                    )
                );
                break;
            case "WhitespaceSplit":
                steps.Add(
                    SplitByCodePoint(
                        static codePoint => CodePoints.GetKind(codePoint) == CodePoints.Kind.Space,
                        SplitBehavior.Removed
                    )
                );
                break;
            case "Whitespace":
                steps.Add(
                    RegexSplitter.Read(
                        part,
                        @"[\p{L}\p{M}\p{Nd}\p{Nl}\p{Pc}]+|[^\p{L}\p{M}\p{Nd}\p{Nl}\p{Pc}\s]+",
                        SplitBehavior.Removed,
                        invert: true
                    )
                );
                break;
            default:
                throw part.Unsupported("pre-tokenizer", type, Known);
        }
    }

    static PreTokenizerStep ReadSplit(JsonPart part)
    {
        var behavior = SplitBehaviors.Read(part["behavior"]);
        var invert = part["invert"].GetBoolean(false);
        var regex = part["pattern"]["Regex"];
        if (!regex.IsAbsent)
        {
            return (behavior == SplitBehavior.Isolated && !invert ? WordPattern.FindScanner(regex.GetString()) : null)
                ?? RegexSplitter.Read(regex, regex.GetString(), behavior, invert);
        }

        var literal = Normalizer.LiteralPattern(part["pattern"]);
        return (piece, output) =>
            SplitBehaviors.Split(piece, FindOccurrences(piece, literal), behavior, invert, output);
    }

    static IEnumerable<(int Start, int Length)> FindOccurrences(TextPiece piece, string literal)
    {
        int at = 0,
            step;
        while ((step = piece.Span[at..].IndexOf(literal, StringComparison.Ordinal)) >= 0)
        {
            yield return (at + step, literal.Length);
            at += step + literal.Length;
        }
    }

    // Every matching code point is a match of its own.
    static PreTokenizerStep SplitByCodePoint(Func<int, bool> matches, SplitBehavior behavior) =>
        (piece, output) => SplitBehaviors.Split(piece, FindCodePoints(matches, piece), behavior, invert: false, output);

    static IEnumerable<(int Start, int Length)> FindCodePoints(Func<int, bool> matches, TextPiece piece)
    {
        for (var i = 0; i < piece.Length;)
        {
            var codePoint = CodePoints.GetAt(piece.Span, i, out var length);
            if (matches(codePoint))
            {
                yield return (i, length);
            }

            i += length;
        }
    }

    static void AddPrefixSpace(TextPiece piece, List<TextPiece> output) =>
        output.Add(
            piece.Length == 0 || piece.Span[0] == ' '
                ? piece
                : new TextPiece(string.Concat(" ", piece.Span), 0, piece.Length + 1, piece.IsFirst)
        );
}

/// <summary>Spaces written as a visible character, with or without one in front of the text.</summary>
sealed record Metaspace(char Replacement, string Scheme, bool Split)
{
    public static Metaspace Read(JsonPart part)
    {
        var scheme = part["prepend_scheme"];
        var prefix = part["add_prefix_space"].GetBoolean(true);
        var name = scheme.GetStringOrNull() ?? (prefix ? "always" : "never");
        if (name is not ("always" or "first" or "never"))
        {
            throw scheme.Unsupported("prepend scheme", name, "always, first, never");
        }

        return new Metaspace(part["replacement"].GetChar(), name, part["split"].GetBoolean(true));
    }

    public void PreTokenize(TextPiece piece, List<TextPiece> output)
    {
        if (piece.Length == 0)
        {
            return;
        }

        var text = piece.Span.ToString().Replace(' ', Replacement);
        if (text[0] != Replacement && (Scheme == "always" || (Scheme == "first" && piece.IsFirst)))
        {
            text = Replacement + text;
        }

        var whole = new TextPiece(text, 0, text.Length, piece.IsFirst);
        if (!Split)
        {
            output.Add(whole);
            return;
        }
        for (int start = 0, next; start < text.Length; start = next)
        {
            next = text.IndexOf(Replacement, start + 1);
            if (next < 0)
            {
                next = text.Length;
            }

            output.Add(whole.Slice(start, next - start));
        }
    }
}
