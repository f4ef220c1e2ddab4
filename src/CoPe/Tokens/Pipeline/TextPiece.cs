namespace CoPe.Tokens.Pipeline;

/// <summary>A stretch of a text on its way to the merges.</summary>
/// <param name="Text">The text it is part of.</param>
/// <param name="Start">Where it begins there.</param>
/// <param name="Length">Its length in UTF-16 units.</param>
/// <param name="First">True where it stands at the very beginning of what was to be encoded.</param>
internal readonly record struct TextPiece(string Text, int Start, int Length, bool First)
{
    public ReadOnlySpan<char> Span => Text.AsSpan(Start, Length);

    /// <summary>A part of this piece; only one that begins where it begins can still be the first.</summary>
    public TextPiece Part(int offset, int length) => new(Text, Start + offset, length, First && offset == 0);
}
