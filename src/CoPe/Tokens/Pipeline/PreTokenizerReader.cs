namespace CoPe.Tokens.Pipeline;

/// <summary>Reads the steps of a pre-tokenizer.</summary>
internal static class PreTokenizerReader
{
    const string Known = "Sequence, Split, ByteLevel, Metaspace, Digits, Punctuation, Whitespace, WhitespaceSplit";

    public static void Collect(JsonPart part, List<PreTokenizerStep> steps, ref bool byteLevel)
    {
        if (byteLevel) throw part.Fail("stands after a ByteLevel step, which must be the last");
        var type = part["type"].Text();
        switch (type)
        {
            case "Sequence":
                foreach (var item in part["pretokenizers"].Items()) Collect(item, steps, ref byteLevel);
                break;
            case "ByteLevel":
                if (part["add_prefix_space"].Flag(true)) steps.Add(PrefixSpace);
                if (part["use_regex"].Flag(true)) steps.Add(WordPattern.Gpt2);
                byteLevel = true;
                break;
            case "Split": steps.Add(ReadSplit(part)); break;
            case "Metaspace": steps.Add(Metaspace.Read(part).PreTokenize); break;
            case "Digits":
                steps.Add(By(static codePoint => CodePoints.KindOf(codePoint) == CodePoints.Kind.Number,
                    part["individual_digits"].Flag(false) ? SplitBehavior.Isolated : SplitBehavior.Contiguous));
                break;
            case "Punctuation":
                var behavior = part["behavior"];
                steps.Add(By(CodePoints.IsPunctuation, behavior.IsAbsent ? SplitBehavior.Isolated : SplitBehaviors.Read(behavior)));
                break;
            case "WhitespaceSplit":
                steps.Add(By(static codePoint => CodePoints.KindOf(codePoint) == CodePoints.Kind.Space, SplitBehavior.Removed));
                break;
            case "Whitespace":
                steps.Add(RegexSplitter.Read(part, @"[\p{L}\p{M}\p{Nd}\p{Nl}\p{Pc}]+|[^\p{L}\p{M}\p{Nd}\p{Nl}\p{Pc}\s]+", SplitBehavior.Removed, invert: true));
                break;
            default: throw part.Unknown("pre-tokenizer", type, Known);
        }
    }

    static PreTokenizerStep ReadSplit(JsonPart part)
    {
        var behavior = SplitBehaviors.Read(part["behavior"]);
        var invert = part["invert"].Flag(false);
        var regex = part["pattern"]["Regex"];
        if (!regex.IsAbsent)
            return (behavior == SplitBehavior.Isolated && !invert ? WordPattern.Recognise(regex.Text()) : null)
                ?? RegexSplitter.Read(regex, regex.Text(), behavior, invert);
        var literal = Normalizer.LiteralPattern(part["pattern"]);
        return (piece, output) => SplitBehaviors.Cut(piece, Occurrences(piece, literal), behavior, invert, output);
    }

    static IEnumerable<(int Start, int Length)> Occurrences(TextPiece piece, string literal)
    {
        int at = 0, step;
        while ((step = piece.Span[at..].IndexOf(literal, StringComparison.Ordinal)) >= 0)
        {
            yield return (at + step, literal.Length);
            at += step + literal.Length;
        }
    }

    // Every matching code point is a match of its own.
    static PreTokenizerStep By(Func<int, bool> matches, SplitBehavior behavior) =>
        (piece, output) => SplitBehaviors.Cut(piece, CodePointsThat(matches, piece), behavior, invert: false, output);

    static IEnumerable<(int Start, int Length)> CodePointsThat(Func<int, bool> matches, TextPiece piece)
    {
        for (var i = 0; i < piece.Length;)
        {
            var codePoint = CodePoints.At(piece.Span, i, out var length);
            if (matches(codePoint)) yield return (i, length);
            i += length;
        }
    }

    static void PrefixSpace(TextPiece piece, List<TextPiece> output) =>
        output.Add(piece.Length == 0 || piece.Span[0] == ' ' ? piece : new TextPiece(string.Concat(" ", piece.Span), 0, piece.Length + 1, piece.First));
}
