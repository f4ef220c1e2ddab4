using System.Globalization;
using System.Text;

namespace CoPe.Tokens.Pipeline;

/// <summary>What pre-tokenizers ask of a code point. Text is walked by code point, since a .NET regular expression sees half a letter outside the basic plane.</summary>
internal static class CodePoints
{
    internal enum Kind : byte { Other, Letter, Number, Space }

    static readonly Kind[] Basic = BuildBasic();

    /// <summary>The code point at an index and its length in UTF-16 units; a lone surrogate counts as itself.</summary>
    public static int At(ReadOnlySpan<char> text, int index, out int length)
    {
        var c = text[index];
        length = 1;
        if (!char.IsHighSurrogate(c) || index + 1 >= text.Length || !char.IsLowSurrogate(text[index + 1])) return c;
        length = 2;
        return char.ConvertToUtf32(c, text[index + 1]);
    }

    public static Kind KindAt(ReadOnlySpan<char> text, int index, out int length)
    {
        var c = text[index];
        if (!char.IsHighSurrogate(c)) { length = 1; return Basic[c]; }
        return KindOf(At(text, index, out length));
    }

    public static bool IsSpace(char c) => Basic[c] == Kind.Space;

    /// <summary>ASCII punctuation, or one of Unicode's punctuation categories.</summary>
    public static bool IsPunctuation(int codePoint) =>
        codePoint < 128 ? char.IsPunctuation((char)codePoint) || char.IsSymbol((char)codePoint)
            : CharUnicodeInfo.GetUnicodeCategory(codePoint) is >= UnicodeCategory.ConnectorPunctuation and <= UnicodeCategory.OtherPunctuation;

    /// <summary>A character of a word: letter, mark, digit or connector, as <c>\w</c>.</summary>
    public static bool IsWord(int codePoint) => KindOf(codePoint) is Kind.Letter ||
        CharUnicodeInfo.GetUnicodeCategory(codePoint) is UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.ConnectorPunctuation
            or UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark;

    public static Kind KindOf(int codePoint) =>
        codePoint < 0x10000 ? Basic[codePoint] : FromCategory(CharUnicodeInfo.GetUnicodeCategory(codePoint));

    static Kind FromCategory(UnicodeCategory category) => category switch
    {
        <= UnicodeCategory.OtherLetter => Kind.Letter,
        UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber => Kind.Number,
        UnicodeCategory.SpaceSeparator or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator => Kind.Space,
        _ => Kind.Other,
    };

    static Kind[] BuildBasic()
    {
        var kinds = new Kind[0x10000];
        for (var c = 0; c < kinds.Length; c++) kinds[c] = FromCategory(CharUnicodeInfo.GetUnicodeCategory((char)c));
        foreach (var control in "\t\n\v\f\r\u0085") kinds[control] = Kind.Space;
        return kinds;
    }

    /// <summary>The bytes of a text in UTF-8, a lone surrogate as U+FFFD.</summary>
    public static byte[] Utf8(ReadOnlySpan<char> text)
    {
        var bytes = new byte[Encoding.UTF8.GetByteCount(text)];
        Encoding.UTF8.GetBytes(text, bytes);
        return bytes;
    }
}
