using System.Text;

namespace CoPe;

/// <summary>
/// How a text file is encoded: UTF-8, UTF-16 or UTF-32 in either byte order, with or without a byte order mark. Bytes
/// that are not text in the encoding found are an error, never replaced.
/// </summary>
/// <param name="Encoding">A strict encoding, which writes no mark.</param>
/// <param name="MarkLength">Bytes of the mark before the text.</param>
readonly record struct TextEncoding(Encoding Encoding, int MarkLength)
{
    const int BytesNeeded = 4;

    static readonly Encoding Utf8 = new UTF8Encoding(false, throwOnInvalidBytes: true);
    static readonly Encoding Utf16 = new UnicodeEncoding(
        bigEndian: false,
        byteOrderMark: false,
        throwOnInvalidBytes: true
    );
    static readonly Encoding Utf16BigEndian = new UnicodeEncoding(
        bigEndian: true,
        byteOrderMark: false,
        throwOnInvalidBytes: true
    );
    static readonly Encoding Utf32 = new UTF32Encoding(
        bigEndian: false,
        byteOrderMark: false,
        throwOnInvalidCharacters: true
    );
    static readonly Encoding Utf32BigEndian = new UTF32Encoding(
        bigEndian: true,
        byteOrderMark: false,
        throwOnInvalidCharacters: true
    );

    /// <summary>True for UTF-8, with or without a mark.</summary>
    public bool IsUtf8 => ReferenceEquals(Encoding, Utf8);

    /// <summary>The encoding of a text by its first four bytes, or by all of them where there are fewer.</summary>
    /// <remarks>
    /// JSON, CSV and YAML begin with an ASCII character, so zero bytes beside it tell UTF-16 and UTF-32 where no mark
    /// does.
    /// </remarks>
    public static TextEncoding Detect(ReadOnlySpan<byte> firstBytes) =>
        firstBytes switch
        {
            [0xEF, 0xBB, 0xBF, ..] => new(Utf8, 3),
            [0xFF, 0xFE, 0, 0, ..] => new(Utf32, 4),
            [0, 0, 0xFE, 0xFF, ..] => new(Utf32BigEndian, 4),
            [not 0, 0, 0, 0, ..] => new(Utf32, 0),
            [0, 0, 0, not 0, ..] => new(Utf32BigEndian, 0),
            [0xFF, 0xFE, ..] => new(Utf16, 2),
            [0xFE, 0xFF, ..] => new(Utf16BigEndian, 2),
            [not 0, 0, ..] => new(Utf16, 0),
            [0, not 0, ..] => new(Utf16BigEndian, 0),
            _ => new(Utf8, 0),
        };

    /// <summary>A reader of a file's text, past its mark. The caller disposes of it.</summary>
    public static StreamReader OpenText(string path)
    {
        var stream = File.OpenRead(path);
        try
        {
            var encoding = SkipMark(stream);
            // A reader that looked for marks itself would continue with a decoder that replaces what is not text.
            return new StreamReader(stream, encoding.Encoding, detectEncodingFromByteOrderMarks: false);
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    /// <summary>
    /// The same text as UTF-8 without a mark; bytes that are UTF-8 already pass unchecked. Closing it closes
    /// <paramref name="stream"/>.
    /// </summary>
    /// <param name="stream">A stream at its start that can seek.</param>
    public static Stream OpenAsUtf8(Stream stream)
    {
        var encoding = SkipMark(stream);
        return encoding.IsUtf8 ? stream : Encoding.CreateTranscodingStream(stream, encoding.Encoding, Encoding.UTF8);
    }

    /// <summary>The text of a small file that people write: a recipe, a task, a wording, a chat template.</summary>
    /// <exception cref="InvalidDataException">
    /// The file is not text in the encoding that its first bytes tell.
    /// </exception>
    public static string ReadAllText(string path)
    {
        var bytes = File.ReadAllBytes(path);
        var (encoding, markLength) = Detect(bytes);
        try
        {
            return encoding.GetString(bytes, markLength, bytes.Length - markLength);
        }
        catch (DecoderFallbackException error)
        {
            var place = markLength + error.Index + 1;
            throw new InvalidDataException(
                $"{path}: byte {place} is not {encoding.WebName} text; save the file as UTF-8 and try again",
                error
            );
        }
    }

    /// <summary>Moves a stream from its start to behind its mark.</summary>
    static TextEncoding SkipMark(Stream stream)
    {
        Span<byte> first = stackalloc byte[BytesNeeded];
        var count = stream.ReadAtLeast(first, BytesNeeded, throwOnEndOfStream: false);
        var found = Detect(first[..count]);
        stream.Position = found.MarkLength;
        return found;
    }
}
