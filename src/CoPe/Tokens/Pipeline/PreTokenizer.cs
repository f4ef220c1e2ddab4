namespace CoPe.Tokens.Pipeline;

/// <summary>A step that splits a piece into smaller ones, which the merges never cross.</summary>
/// <param name="piece">The piece to split.</param>
/// <param name="output">Receives the parts in order.</param>
delegate void PreTokenizerStep(TextPiece piece, List<TextPiece> output);

/// <summary>
/// The pre-tokenizer of a tokenizer.json: its steps, and whether words are spelled in bytes at the end.
/// </summary>
sealed class PreTokenizer
{
    readonly PreTokenizerStep[] _steps;

    PreTokenizer(PreTokenizerReader reader)
    {
        _steps = [.. reader.Steps];
        IsByteLevel = reader.IsByteLevel;
        AddsPrefixSpace = reader.AddsPrefixSpace;
        IsPrefixSpaceOverruled = reader.IsPrefixSpaceOverruled;
    }

    /// <summary>True where the merges work on bytes in the byte-level alphabet.</summary>
    public bool IsByteLevel { get; }

    /// <summary>Whether tokenizer.json wants a space before a text; null where no step says.</summary>
    public bool? AddsPrefixSpace { get; }

    /// <summary>True where tokenizer_config.json says otherwise and counts.</summary>
    public bool IsPrefixSpaceOverruled { get; }

    /// <param name="part">The pre-tokenizer of a tokenizer.json, which may be absent.</param>
    /// <param name="addPrefixSpace">
    /// What tokenizer_config.json says of a space before a text. As in transformers it rules a ByteLevel step that
    /// stands alone, and no other.
    /// </param>
    public static PreTokenizer Read(JsonPart part, bool? addPrefixSpace)
    {
        var reader = new PreTokenizerReader();
        if (!part.IsAbsent && part["type"].GetString() == "ByteLevel")
        {
            reader.AddByteLevel(part, addPrefixSpace);
        }
        else if (!part.IsAbsent)
        {
            reader.Add(part);
        }

        return new PreTokenizer(reader);
    }

    /// <summary>Splits a segment into words.</summary>
    /// <param name="segment">The segment.</param>
    /// <param name="words">Receives the words; what it held is removed.</param>
    /// <param name="spare">A list for use in between.</param>
    public void Split(TextPiece segment, List<TextPiece> words, List<TextPiece> spare)
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

/// <summary>A part of a text on its way to the merges.</summary>
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
sealed class PreTokenizerReader
{
    const string Known = "Sequence, Split, ByteLevel, Metaspace, Digits, Punctuation, Whitespace, WhitespaceSplit";
    const string WordsAndSymbols = @"[\p{L}\p{M}\p{Nd}\p{Nl}\p{Pc}]+|[^\p{L}\p{M}\p{Nd}\p{Nl}\p{Pc}\s]+";

    public List<PreTokenizerStep> Steps { get; } = [];

    public bool IsByteLevel { get; private set; }

    /// <summary>Whether the file wants a space before a text; null where no step says.</summary>
    public bool? AddsPrefixSpace { get; private set; }

    public bool IsPrefixSpaceOverruled { get; private set; }

    public void Add(JsonPart part)
    {
        if (IsByteLevel)
        {
            throw part.Error("stands after a ByteLevel step, which must be the last");
        }

        var type = part["type"].GetString();
        switch (type)
        {
            case "Sequence":
                foreach (var item in part["pretokenizers"].EnumerateArray())
                {
                    Add(item);
                }

                break;
            case "ByteLevel":
                AddByteLevel(part, null);
                break;
            case "Split":
                Steps.Add(ReadSplit(part));
                break;
            case "Metaspace":
                var spaces = Metaspace.Read(part);
                AddsPrefixSpace = spaces.Scheme != "never";
                Steps.Add(spaces.PreTokenize);
                break;
            case "Digits":
                Steps.Add(ReadDigits(part));
                break;
            case "Punctuation":
                var behavior = part["behavior"];
                Steps.Add(
                    SplitByCodePoint(
                        CodePoints.IsPunctuation,
                        behavior.IsAbsent ? SplitBehavior.Isolated : SplitBehaviors.Read(behavior)
                    )
                );
                break;
            case "WhitespaceSplit":
                Steps.Add(SplitByCodePoint(IsSpace, SplitBehavior.Removed));
                break;
            case "Whitespace":
                Steps.Add(RegexSplitter.Read(part, WordsAndSymbols, SplitBehavior.Removed, invert: true));
                break;
            default:
                throw part.Unsupported("pre-tokenizer", type, Known);
        }
    }

    /// <param name="part">The step.</param>
    /// <param name="addPrefixSpace">Rules whether a space is put before a text; null leaves that to the step.</param>
    public void AddByteLevel(JsonPart part, bool? addPrefixSpace)
    {
        var isWanted = part["add_prefix_space"].GetBoolean(true);
        AddsPrefixSpace = isWanted;
        IsPrefixSpaceOverruled = addPrefixSpace is { } other && other != isWanted;
        if (isWanted != IsPrefixSpaceOverruled)
        {
            Steps.Add(AddPrefixSpace);
        }

        if (part["use_regex"].GetBoolean(true))
        {
            Steps.Add(WordPattern.ScanGpt2);
        }

        IsByteLevel = true;
    }

    static PreTokenizerStep ReadDigits(JsonPart part)
    {
        var isOneByOne = part["individual_digits"].GetBoolean(false);
        return SplitByCodePoint(IsNumber, isOneByOne ? SplitBehavior.Isolated : SplitBehavior.Contiguous);
    }

    static bool IsNumber(int codePoint) => CodePoints.GetKind(codePoint) == CodePoints.Kind.Number;

    static bool IsSpace(int codePoint) => CodePoints.GetKind(codePoint) == CodePoints.Kind.Space;

    static PreTokenizerStep ReadSplit(JsonPart part)
    {
        var behavior = SplitBehaviors.Read(part["behavior"]);
        var invert = part["invert"].GetBoolean(false);
        var regex = part["pattern"]["Regex"];
        if (!regex.IsAbsent)
        {
            var pattern = regex.GetString();
            var isWordSplit = behavior == SplitBehavior.Isolated && !invert;
            var scanner = isWordSplit ? WordPattern.FindScanner(pattern) : null;
            return scanner ?? RegexSplitter.Read(regex, pattern, behavior, invert);
        }

        var literal = Normalizer.ReadLiteralPattern(part["pattern"]);
        return (piece, output) =>
            SplitBehaviors.Split(piece, FindOccurrences(piece, literal), behavior, invert, output);
    }

    static IEnumerable<(int Start, int Length)> FindOccurrences(TextPiece piece, string literal)
    {
        var searchFrom = 0;
        while (true)
        {
            var offset = piece.Span[searchFrom..].IndexOf(literal, StringComparison.Ordinal);
            if (offset < 0)
            {
                yield break;
            }

            yield return (searchFrom + offset, literal.Length);
            searchFrom += offset + literal.Length;
        }
    }

    /// <summary>Every matching code point is a match of its own.</summary>
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

    static void AddPrefixSpace(TextPiece piece, List<TextPiece> output)
    {
        if (piece.Length == 0 || piece.Span[0] == ' ')
        {
            output.Add(piece);
            return;
        }

        var spaced = string.Concat(" ", piece.Span);
        output.Add(new TextPiece(spaced, 0, spaced.Length, piece.IsFirst));
    }
}

/// <summary>Spaces written as a visible character, with or without one in front of the text.</summary>
sealed record Metaspace(char Replacement, string Scheme, bool Split)
{
    public static Metaspace Read(JsonPart part)
    {
        var scheme = part["prepend_scheme"];
        var addsPrefix = part["add_prefix_space"].GetBoolean(true);
        var name = scheme.GetStringOrNull() ?? (addsPrefix ? "always" : "never");
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
        var wantsMark = Scheme == "always" || (Scheme == "first" && piece.IsFirst);
        if (wantsMark && text[0] != Replacement)
        {
            text = Replacement + text;
        }

        var whole = new TextPiece(text, 0, text.Length, piece.IsFirst);
        if (!Split)
        {
            output.Add(whole);
            return;
        }

        var start = 0;
        while (start < text.Length)
        {
            var mark = text.IndexOf(Replacement, start + 1);
            var end = mark < 0 ? text.Length : mark;
            output.Add(whole.Slice(start, end - start));
            start = end;
        }
    }
}
