using System.Text;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Data;

/// <summary>
/// Opens text files of any make: UTF-8, UTF-16 and UTF-32, with or without byte order mark. What is none of these is
/// refused, never guessed.
/// </summary>
static class TextFile
{
    /// <summary>A reader over the file's text.</summary>
    public static StreamReader Open(string path)
    {
        var stream = File.OpenRead(path);
        Span<byte> head = stackalloc byte[4];
        var count = stream.ReadAtLeast(head, 4, throwOnEndOfStream: false);
        stream.Position = 0;
        // Text has a letter in its first two characters, so zero bytes beside it tell UTF-16 and UTF-32 where no mark
        // does.
        Encoding encoding = head[..count] switch
        {
            [0xFF, 0xFE, 0, 0] => new UTF32Encoding(false, true, true),
            [0, 0, 0xFE, 0xFF] => new UTF32Encoding(true, true, true),
            [not 0, 0, 0, 0] => new UTF32Encoding(false, false, true),
            [0, 0, 0, not 0] => new UTF32Encoding(true, false, true),
            [0xFF, 0xFE, ..] => new UnicodeEncoding(false, true, true),
            [0xFE, 0xFF, ..] => new UnicodeEncoding(true, true, true),
            [not 0, 0, not 0, 0] => new UnicodeEncoding(false, false, true),
            [0, not 0, 0, not 0] => new UnicodeEncoding(true, false, true),
            _ => new UTF8Encoding(true, true),
        };
        // Each passes over its own mark. A reader that looked for marks by itself would go on with a decoder that
        // replaces what is no text.
        return new StreamReader(stream, encoding, detectEncodingFromByteOrderMarks: false);
    }

    /// <summary>The error for a file that is no text, with the line and byte where that shows.</summary>
    public static DataFileException InvalidEncodingError(string path, DecoderFallbackException error)
    {
        if (FileSignature.Describe(path) is { } packed)
        {
            return new(new() { File = path }, packed, "a text file", "Give the text itself.", error);
        }

        var (line, offset) = FindInvalidByte(path);
        return new(
            new() { File = path, Line = line },
            offset is null
                ? "bytes that are no text in the encoding that its first bytes tell"
                : $"bytes that are neither UTF-8 nor UTF-16, the first at byte {offset}",
            "a text file",
            "Save it as UTF-8, for example with 'iconv -f windows-1252 -t utf-8'.",
            error
        );
    }

    /// <summary>
    /// The first byte, counted from 1, that is no UTF-8, and its line; nothing in a file of another encoding.
    /// </summary>
    static (long? Line, long? Offset) FindInvalidByte(string path)
    {
        using var stream = File.OpenRead(path);
        var buffer = new byte[1 << 16];
        var (line, offset, held) = (1L, 0L, 0);
        while (true)
        {
            var read = stream.ReadAtLeast(buffer.AsSpan(held), 1, throwOnEndOfStream: false);
            var part = buffer.AsSpan(0, held + read);
            if (offset == 0 && part is [0xFF, 0xFE, ..] or [0xFE, 0xFF, ..] or [not 0, 0, ..] or [0, not 0, ..])
            {
                return default;
            }

            while (part.Length > 0)
            {
                var status = Rune.DecodeFromUtf8(part, out var rune, out var length);
                if (status == System.Buffers.OperationStatus.NeedMoreData && read > 0)
                {
                    break;
                }

                if (status != System.Buffers.OperationStatus.Done)
                {
                    return (line, offset + 1);
                }

                if (rune.Value == '\n')
                {
                    line++;
                }

                part = part[length..];
                offset += length;
            }

            if (read == 0)
            {
                return default;
            }

            part.CopyTo(buffer);
            held = part.Length;
        }
    }
}

/// <summary>
/// JSON text as UTF-8, whatever it is written in: UTF-8, or UTF-16 or UTF-32 in either byte order, with or without a
/// byte order mark.
/// </summary>
static class Utf8Stream
{
    /// <summary>The same text without its mark; closing it closes what it reads.</summary>
    /// <param name="json">
    /// A stream at its start that can seek. A JSON text starts with an ASCII character, so zero bytes beside it tell
    /// UTF-16 and UTF-32 where no mark does.
    /// </param>
    public static Stream Open(Stream json)
    {
        Span<byte> head = stackalloc byte[4];
        var count = json.ReadAtLeast(head, 4, throwOnEndOfStream: false);
        var (encoding, mark) = head[..count] switch
        {
            [0xEF, 0xBB, 0xBF, ..] => ((Encoding?)null, 3),
            [0xFF, 0xFE, 0, 0] => (new UTF32Encoding(false, false, true), 4),
            [0, 0, 0xFE, 0xFF] => (new UTF32Encoding(true, false, true), 4),
            [not 0, 0, 0, 0] => (new UTF32Encoding(false, false, true), 0),
            [0, 0, 0, not 0] => (new UTF32Encoding(true, false, true), 0),
            [0xFF, 0xFE, ..] => (new UnicodeEncoding(false, false, true), 2),
            [0xFE, 0xFF, ..] => (new UnicodeEncoding(true, false, true), 2),
            [not 0, 0, ..] => (new UnicodeEncoding(false, false, true), 0),
            [0, not 0, ..] => (new UnicodeEncoding(true, false, true), 0),
            _ => (null, 0),
        };
        json.Position = mark;
        return encoding is null ? json : Encoding.CreateTranscodingStream(json, encoding, Encoding.UTF8);
    }
}

/// <summary>
/// Tells files that are packed, or of another kind than text, by their first bytes: so that a message can say what was
/// given in the place of text.
/// </summary>
static class FileSignature
{
    /// <summary>What the file is, in words; null where its first bytes do not tell.</summary>
    public static string? Describe(string path)
    {
        using var file = File.OpenRead(path);
        Span<byte> head = stackalloc byte[6];
        return head[..file.ReadAtLeast(head, head.Length, throwOnEndOfStream: false)] switch
        {
            [0x1F, 0x8B, ..] => "a file packed with gzip (unpack it with gunzip)",
            [0x28, 0xB5, 0x2F, 0xFD, ..] => "a file packed with zstd (unpack it with unzstd)",
            [(byte)'B', (byte)'Z', (byte)'h', >= (byte)'1' and <= (byte)'9', ..] =>
                "a file packed with bzip2 (unpack it with bunzip2)",
            [0xFD, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0] => "a file packed with xz (unpack it with unxz)",
            [(byte)'P', (byte)'K', 3, 4, ..] =>
                "a zip archive, or a spreadsheet or document in one (unpack it, or save it as text)",
            [(byte)'P', (byte)'A', (byte)'R', (byte)'1', ..] => "a parquet file (name it .parquet)",
            [(byte)'%', (byte)'P', (byte)'D', (byte)'F', ..] => "a PDF file",
            _ => null,
        };
    }
}
