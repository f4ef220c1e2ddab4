using System.Globalization;
using System.Text;

namespace CoPe.Tokens.Pipeline;

/// <summary>
/// What pre-tokenizers need to know of a code point. Text is read by code point, since a .NET regular expression sees
/// half a letter outside the basic plane.
/// </summary>
static class CodePoints
{
    internal enum Kind : byte
    {
        Other,
        Letter,
        Number,
        Space,
    }

    static readonly Kind[] BasicPlane = BuildBasic();

    /// <summary>The code point at an index and its length in UTF-16 units; a lone surrogate counts as itself.</summary>
    public static int GetAt(ReadOnlySpan<char> text, int index, out int length)
    {
        var c = text[index];
        length = 1;
        if (!char.IsHighSurrogate(c) || index + 1 >= text.Length || !char.IsLowSurrogate(text[index + 1]))
        {
            return c;
        }

        length = 2;
        return char.ConvertToUtf32(c, text[index + 1]);
    }

    public static Kind GetKindAt(ReadOnlySpan<char> text, int index, out int length)
    {
        var c = text[index];
        if (!char.IsHighSurrogate(c))
        {
            length = 1;
            return BasicPlane[c];
        }

        return GetKind(GetAt(text, index, out length));
    }

    /// <summary>ASCII punctuation, or one of Unicode's punctuation categories.</summary>
    public static bool IsPunctuation(int codePoint) =>
        codePoint < 128
            ? char.IsPunctuation((char)codePoint) || char.IsSymbol((char)codePoint)
            : CharUnicodeInfo.GetUnicodeCategory(codePoint)
                is >= UnicodeCategory.ConnectorPunctuation
                    and <= UnicodeCategory.OtherPunctuation;

    /// <summary>A character of a word: letter, mark, digit or connector, as <c>\w</c>.</summary>
    public static bool IsWord(int codePoint) =>
        GetKind(codePoint) is Kind.Letter
        || CharUnicodeInfo.GetUnicodeCategory(codePoint)
            is UnicodeCategory.DecimalDigitNumber
                or UnicodeCategory.LetterNumber
                or UnicodeCategory.ConnectorPunctuation
                or UnicodeCategory.NonSpacingMark
                or UnicodeCategory.SpacingCombiningMark
                or UnicodeCategory.EnclosingMark;

    public static Kind GetKind(int codePoint) =>
        codePoint < 0x10000 ? BasicPlane[codePoint] : FromCategory(CharUnicodeInfo.GetUnicodeCategory(codePoint));

    static Kind FromCategory(UnicodeCategory category) =>
        category switch
        {
            <= UnicodeCategory.OtherLetter => Kind.Letter,
            UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber =>
                Kind.Number,
            UnicodeCategory.SpaceSeparator or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator =>
                Kind.Space,
            _ => Kind.Other,
        };

    static Kind[] BuildBasic()
    {
        var kinds = new Kind[0x10000];
        for (var c = 0; c < kinds.Length; c++)
        {
            kinds[c] = FromCategory(CharUnicodeInfo.GetUnicodeCategory((char)c));
        }

        foreach (var control in "\t\n\v\f\r\u0085")
        {
            kinds[control] = Kind.Space;
        }

        return kinds;
    }

    /// <summary>The bytes of a text in UTF-8, a lone surrogate as U+FFFD.</summary>
    public static byte[] ToUtf8(ReadOnlySpan<char> text)
    {
        var bytes = new byte[Encoding.UTF8.GetByteCount(text)];
        Encoding.UTF8.GetBytes(text, bytes);
        return bytes;
    }
}

/// <summary>
/// Unicode normal forms of any text: lone surrogates and noncharacters, at which .NET throws, stay as they are.
/// </summary>
static class UnicodeNormalization
{
    const string Decomposed = "u\u0308";
    const string Composed = "\u00FC";

    /// <summary>
    /// False in a process that runs without Unicode's tables: then .NET leaves text as it is and says nothing.
    /// </summary>
    public static bool IsAvailable { get; } = Decomposed.Normalize(NormalizationForm.FormC) == Composed;

    public static string Normalize(string text, NormalizationForm form)
    {
        if (Ascii.IsValid(text))
        {
            return text;
        }

        StringBuilder? normalized = null;
        var done = 0;
        for (var i = 0; i < text.Length;)
        {
            var codePoint = CodePoints.GetAt(text, i, out var length);
            if (IsRejectedByNormalize(codePoint))
            {
                normalized ??= new StringBuilder(text.Length);
                normalized.Append(text[done..i].Normalize(form)).Append(text, i, length);
                done = i + length;
            }

            i += length;
        }

        return normalized is null ? text.Normalize(form) : normalized.Append(text[done..].Normalize(form)).ToString();
    }

    static bool IsRejectedByNormalize(int codePoint) =>
        codePoint is >= 0xD800 and <= 0xDFFF or >= 0xFDD0 and <= 0xFDEF || (codePoint & 0xFFFE) == 0xFFFE;
}

/// <summary>
/// The byte-level alphabet (GPT-2's <c>bytes_to_unicode</c>): each byte has one printable character, so that any text
/// is a word over 256 letters.
/// </summary>
static class ByteLevelAlphabet
{
    static readonly char[] Characters = BuildCharacters();
    static readonly Dictionary<char, byte> Bytes = Characters
        .Select((c, i) => (c, i))
        .ToDictionary(pair => pair.c, pair => (byte)pair.i);

    public static char ToCharacter(byte value) => Characters[value];

    public static bool TryGetByte(char character, out byte value) => Bytes.TryGetValue(character, out value);

    /// <summary>The text's UTF-8 bytes, spelled in the alphabet.</summary>
    public static string Encode(ReadOnlySpan<char> text) =>
        string.Create(
            Encoding.UTF8.GetByteCount(text),
            CodePoints.ToUtf8(text),
            static (span, bytes) =>
            {
                for (var i = 0; i < bytes.Length; i++)
                {
                    span[i] = Characters[bytes[i]];
                }
            }
        );

    /// <summary>The bytes that a token spells, or null where it holds a character outside the alphabet.</summary>
    public static byte[]? Decode(string token)
    {
        var bytes = new byte[token.Length];
        for (var i = 0; i < bytes.Length; i++)
        {
            if (!TryGetByte(token[i], out bytes[i]))
            {
                return null;
            }
        }

        return bytes;
    }

    /// <summary>Printable Latin-1 stands for itself; the other 68 bytes take U+0100 and up, in order.</summary>
    static char[] BuildCharacters()
    {
        var characters = new char[256];
        var next = 0x100;
        for (var b = 0; b < characters.Length; b++)
        {
            var isPrintable = b is >= 0x21 and <= 0x7E or >= 0xA1 and <= 0xAC or >= 0xAE;
            characters[b] = isPrintable ? (char)b : (char)next++;
        }

        return characters;
    }
}
