namespace CoPe.Tokens.Pipeline;

/// <summary>The byte-level alphabet: each byte has one printable character, so that any text is a word over 256 letters.</summary>
internal static class ByteAlphabet
{
    static readonly char[] Characters = Build();
    static readonly Dictionary<char, byte> Bytes = Characters.Select((c, i) => (c, i)).ToDictionary(pair => pair.c, pair => (byte)pair.i);

    public static char Character(byte value) => Characters[value];

    public static bool TryByte(char character, out byte value) => Bytes.TryGetValue(character, out value);

    /// <summary>The text's UTF-8 bytes, spelled in the alphabet.</summary>
    public static string Spell(ReadOnlySpan<char> text) =>
        string.Create(System.Text.Encoding.UTF8.GetByteCount(text), CodePoints.Utf8(text), static (span, bytes) =>
        {
            for (var i = 0; i < bytes.Length; i++) span[i] = Characters[bytes[i]];
        });

    /// <summary>The bytes that a token spells, or null where it holds a character outside the alphabet.</summary>
    public static byte[]? Read(string token)
    {
        var bytes = new byte[token.Length];
        for (var i = 0; i < bytes.Length; i++)
            if (!TryByte(token[i], out bytes[i])) return null;
        return bytes;
    }

    // Printable Latin-1 stands for itself; the other 68 bytes take U+0100 and up, in order.
    static char[] Build()
    {
        var next = 0x100;
        return [.. Enumerable.Range(0, 256).Select(b => b is >= 0x21 and <= 0x7E or >= 0xA1 and <= 0xAC or >= 0xAE ? (char)b : (char)next++)];
    }
}
