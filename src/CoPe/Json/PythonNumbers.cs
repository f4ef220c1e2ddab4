namespace CoPe.Json;

/// <summary>A text of JSON as the standard has it, and where it is longer than the text it was made from.</summary>
readonly ref struct StandardJson(ReadOnlySpan<byte> text, IReadOnlyList<int> insertions)
{
    /// <summary>The text.</summary>
    public ReadOnlySpan<byte> Text { get; } = text;

    /// <summary>A text that is standard already.</summary>
    public static StandardJson Unchanged(ReadOnlySpan<byte> text) => new(text, []);

    /// <summary>Where in the original text a byte of this one stands.</summary>
    public int ToOriginal(int offset) => offset - insertions.Count(insertion => insertion < offset);
}

/// <summary>The numbers that Python's json writes and the standard does not have.</summary>
static class PythonNumbers
{
    /// <summary>Most bytes that <see cref="FindWord"/> looks at.</summary>
    public const int MaxLength = 9;

    public static ReadOnlySpan<byte> NaN => "NaN"u8;

    static ReadOnlySpan<byte> Infinity => "Infinity"u8;

    static ReadOnlySpan<byte> Null => "null"u8;

    /// <summary>A number beyond every other, as long as the word it stands for.</summary>
    static ReadOnlySpan<byte> OutOfRange => "1e999999"u8;

    /// <summary>A number as long as NaN, for who tells the two apart otherwise.</summary>
    static ReadOnlySpan<byte> Zero => "0.0"u8;

    /// <summary>The text with null for NaN and a number out of range for Infinity.</summary>
    public static StandardJson Replace(ReadOnlySpan<byte> text)
    {
        if (text.IndexOf(NaN) < 0 && text.IndexOf(Infinity) < 0)
        {
            return StandardJson.Unchanged(text);
        }

        using var standard = new MemoryStream(text.Length);
        var insertions = new List<int>();
        while (text.Length > 0)
        {
            var length = FindNextWord(text);
            standard.Write(text[..length]);
            text = text[length..];
            if (text.StartsWith(NaN))
            {
                standard.Write(Null);
                insertions.Add((int)standard.Length - 1);
                text = text[NaN.Length..];
            }
            else if (text.StartsWith(Infinity))
            {
                standard.Write(OutOfRange);
                text = text[Infinity.Length..];
            }
        }

        return new(standard.ToArray(), insertions);
    }

    /// <summary>The word that stands alone at a place, no part of a longer one or of a number, or none.</summary>
    public static ReadOnlySpan<byte> FindWord(ReadOnlySpan<byte> text, int start)
    {
        if (text[start] is not ((byte)'N' or (byte)'I'))
        {
            return default;
        }

        var word = text[start] == 'N' ? NaN : Infinity;
        var end = start + word.Length;
        var isAlone =
            (start == 0 || !IsPartOfWord(text[start - 1])) && (end >= text.Length || !IsPartOfWord(text[end]));
        return isAlone && text[start..].StartsWith(word) ? word : default;
    }

    /// <summary>A number of the standard that is as long as the word.</summary>
    public static ReadOnlySpan<byte> GetStandIn(ReadOnlySpan<byte> word) =>
        word.Length == NaN.Length ? Zero : OutOfRange;

    /// <summary>Where the next such word stands outside of strings; the end where there is none.</summary>
    static int FindNextWord(ReadOnlySpan<byte> text)
    {
        var isInString = false;
        for (var i = 0; i < text.Length; i++)
        {
            if (isInString && text[i] == '\\')
            {
                i++;
            }
            else if (text[i] == '"')
            {
                isInString = !isInString;
            }
            else if (!isInString && FindWord(text, i).Length > 0)
            {
                return i;
            }
        }

        return text.Length;
    }

    static bool IsPartOfWord(byte letter) =>
        char.IsAsciiLetterOrDigit((char)letter) || letter is (byte)'.' or (byte)'+';
}
