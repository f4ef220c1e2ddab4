namespace CoPe.Tokens.Pipeline;

/// <summary>Spaces written as a visible character, with or without one in front of the text.</summary>
internal sealed record Metaspace(char Replacement, string Scheme, bool Split)
{
    public static Metaspace Read(JsonPart part)
    {
        var scheme = part["prepend_scheme"];
        var prefix = part["add_prefix_space"].Flag(true);
        var name = scheme.TextOrNull() ?? (prefix ? "always" : "never");
        if (name is not ("always" or "first" or "never")) throw scheme.Unknown("prepend scheme", name, "always, first, never");
        return new Metaspace(part["replacement"].Character(), name, part["split"].Flag(true));
    }

    public void PreTokenize(TextPiece piece, List<TextPiece> output)
    {
        if (piece.Length == 0) return;
        var text = piece.Span.ToString().Replace(' ', Replacement);
        if (text[0] != Replacement && (Scheme == "always" || (Scheme == "first" && piece.First))) text = Replacement + text;
        var whole = new TextPiece(text, 0, text.Length, piece.First);
        if (!Split) { output.Add(whole); return; }
        for (int start = 0, next; start < text.Length; start = next)
        {
            next = text.IndexOf(Replacement, start + 1);
            if (next < 0) next = text.Length;
            output.Add(whole.Part(start, next - start));
        }
    }
}
